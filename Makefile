# The two commands of the README.  Each sets up what is missing and skips what is there.
#   make repro   from materials/*.csv to reports/
#   make test    the tests
# And one to hold a commit to what it says:
#   make reproduce REV=<commit>   rebuilds it beside the tree and compares every hash of its dvc.lock
# And one that takes many minutes:
#   make bench-monitoring    does the monitor keep its promises? -> reports/monitoring-quality.md
.PHONY: repro test bench-monitoring reproduce setup
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

reproduce: .venv/ready
	.venv/bin/python scripts/reproduce.py $(REV)

bench-monitoring: setup
	cargo bench --bench monitoring

setup: $(NEEDS)

.venv/ready: requirements.txt
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv .venv || python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.libtorch/ready .minilm/ready: scripts/fetch.py | .venv/ready
	.venv/bin/python scripts/fetch.py $(patsubst .%/ready,%,$@) $(@D)
	touch $@
