# The two commands of the README.  Each sets up what is missing and skips what is there.
#   make repro   from materials/*.csv to reports/
#   make test    the tests
# And one to hold a commit to what it says:
#   make reproduce REV=<commit>   rebuilds it beside the tree and compares every hash of its dvc.lock
# And two that take many minutes:
#   make bench-encoder       our encoder against sentence-transformers, on the same texts
#   make bench-monitoring    does the monitor keep its promises? -> reports/monitoring-quality.md
.PHONY: repro test bench-encoder bench-monitoring reproduce setup
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

bench-encoder: setup .venv-peers/ready
	cargo build --release
	.venv-peers/bin/python scripts/bench_encoder.py target/release/selvedge .minilm

.venv-peers/ready:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check torch==2.4.0 transformers==4.46.3 \
		sentence-transformers==3.3.1 pyarrow "numpy<2.3"
	touch $@

.venv/ready: requirements.txt
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv .venv || python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.libtorch/ready .minilm/ready: scripts/fetch.py | .venv/ready
	.venv/bin/python scripts/fetch.py $(patsubst .%/ready,%,$@) $(@D)
	touch $@
