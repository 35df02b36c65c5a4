# The two commands of the README.  Each sets up what is missing and skips what is there.
#   make repro   from materials/*.csv to reports/
#   make test    the tests
# And for those who work on speed, `make bench`: reports/benchmarks.md, in half an hour.
.PHONY: repro test bench setup
.DELETE_ON_ERROR:

PYTHON ?= python3.11

# Where LIBTORCH is set, that libtorch 2.4.0 is used and none is fetched.
ifdef LIBTORCH
NEEDS := .venv/ready .minilm/ready
else
NEEDS := .venv/ready .minilm/ready .libtorch/ready
endif

repro: setup
	cargo build --release
	.venv/bin/dvc repro

test: setup
	cargo test --release

bench: setup .venv-peers/ready
	cargo build --release
	.venv-peers/bin/python crates/benchmarks/bench.py
	cargo run --release --quiet --package benchmarks -- work/benchmarks/growth.csv reports/benchmarks.png

setup: $(NEEDS)

.venv-peers/ready: crates/benchmarks/requirements.txt
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv .venv-peers || python3 -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check -r crates/benchmarks/requirements.txt
	touch $@

.venv/ready: requirements.txt
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv .venv || python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.libtorch/ready .minilm/ready: scripts/fetch.py | .venv/ready
	.venv/bin/python scripts/fetch.py $(patsubst .%/ready,%,$@) $(@D)
	touch $@
