# The two commands of the README.  Each sets up what is missing and skips what is there.
#   make repro   from materials/*.csv to reports/
#   make test    the tests
# And more:
#   make reproduce REV=<commit>   rebuilds it beside the tree and compares every hash of its dvc.lock
#   make examples                 two public shops, where their data is there (examples/*/README.md)
#   make serve                    the lists on a page, http://127.0.0.1:8088, until Ctrl-C (after make repro)
#   make browser-test             the page and the component in a real Chromium (after make repro; needs chromium and chromium-driver)
#   make api-test                 the server held to its own OpenAPI description by schemathesis (after make repro)
#   make mlflow                   an MLflow server on http://127.0.0.1:5000 for tracking.uri, until Ctrl-C
#   make processors               the same bits on emulated processors? (needs qemu-user; some minutes)
#   make bench                    how fast? -> reports/benchmarks.md (some minutes)
#   make bench-sizes              whole shops of two sizes and a long log, with a limit of memory -> reports/benchmarks.md (half an hour)
#   make bench-encoder            our encoder against sentence-transformers, on the same texts -> reports/encoder.md (many minutes)
#   make bench-recommenders DATA=<folder>   models on public data that you have fetched, beside implicit and lightgbm -> reports/recommenders.md
#   make bench-monitoring         does the monitor keep its promises? -> reports/monitoring-quality.md (many minutes)
#   make bench-fits               how long fits and lists take, ten times the shop and 20,000 articles too -> reports/fits.md
#   make bench-serving            lists under load, beside Feast and MLflow -> reports/serving.md (after make repro; some minutes)
#   make bench-shops              lists against the best possible, on ten invented shops -> reports/unseen-shops.md (many minutes)
#   make cluster                  the programs of a cluster -> cluster/target/release/selvedge-cluster (20 minutes, once)
#   make cluster-test             its tests, and the client's export on executors, once through an object store: is every table as in dvc.lock?
#   make bench-cluster            what a cluster costs, on generated shops -> reports/cluster.md (some minutes)
.PHONY: cluster cluster-test bench-cluster repro test examples serve browser-test api-test reproduce processors mlflow bench bench-sizes bench-encoder bench-monitoring bench-recommenders bench-fits bench-serving bench-shops setup
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

test: setup .venv-mlflow/ready
	cargo test --release --workspace

examples: setup
	cargo build --release
	for name in online-retail movielens; do \
	  sh examples/$$name/run.sh $(abspath $(or $(CARGO_TARGET_DIR),target))/release/selvedge examples/$$name/data examples/$$name/project .minilm || exit 1; \
	done

reproduce: .venv/ready
	.venv/bin/python scripts/reproduce.py $(REV)

processors: setup
	cargo build --release --package transformer --package numeric --examples
	cargo build --release
	.venv/bin/python scripts/processors.py $(or $(CARGO_TARGET_DIR),target)/release .minilm

serve: setup
	cargo run --release -- serve --playground

browser-test: setup .venv-browser/ready
	cargo build --release
	.venv-browser/bin/python scripts/browser_tests.py $(or $(CARGO_TARGET_DIR),target)/release/selvedge work/browser

api-test: setup .venv-api/ready
	cargo build --release
	.venv-api/bin/python scripts/api_tests.py $(or $(CARGO_TARGET_DIR),target)/release/selvedge

mlflow: .venv-mlflow/ready
	mkdir -p work/mlflow
	.venv-mlflow/bin/mlflow server --host 127.0.0.1 --port 5000 --workers 1 \
	  --backend-store-uri sqlite:///work/mlflow/runs.db --artifacts-destination work/mlflow/artefacts

bench: setup .venv-peers/ready
	cargo build --release
	.venv-peers/bin/python crates/benchmarks/bench.py
	cargo run --release --quiet --package benchmarks -- work/benchmarks/growth.csv reports/benchmarks.png

bench-sizes: setup .venv-peers/ready
	cargo build --release
	.venv-peers/bin/python crates/benchmarks/sizes.py

bench-encoder: setup .venv-peers/ready
	cargo build --release
	.venv-peers/bin/python scripts/bench_encoder.py $(or $(CARGO_TARGET_DIR),target)/release/selvedge .minilm

bench-recommenders: .venv-recommenders/ready
	mkdir -p work/benchmarks
	cargo build --release --package recommenders --example referees
	.venv-recommenders/bin/python scripts/bench_recommenders.py $(or $(CARGO_TARGET_DIR),target)/release/examples/referees $(DATA) > work/benchmarks/recommenders.md
	mv work/benchmarks/recommenders.md reports/recommenders.md

bench-monitoring: setup
	cargo bench --bench monitoring

bench-fits:
	mkdir -p work/benchmarks
	cargo run --release --quiet --package recommenders --example fits -- page > work/benchmarks/fits.md
	mv work/benchmarks/fits.md reports/fits.md

bench-serving: setup .venv-serving/ready
	cargo build --release
	ulimit -n $$(ulimit -Hn) && PEERS=$(CURDIR)/.venv-serving/bin/python cargo bench --bench serving

bench-shops: setup
	cargo bench --bench shops

# A workspace of its own, with a target folder of its own.
CLUSTER_TARGET := $(if $(CARGO_TARGET_DIR),$(abspath $(CARGO_TARGET_DIR))-cluster,$(CURDIR)/cluster/target)

cluster:
	cd cluster && CARGO_TARGET_DIR=$(CLUSTER_TARGET) cargo build --release

cluster-test: setup cluster .venv-cluster/ready
	cargo build --release
	cd cluster && CARGO_TARGET_DIR=$(CLUSTER_TARGET) cargo test --release
	.venv/bin/python scripts/cluster_test.py $(CLUSTER_TARGET)/release/selvedge-cluster \
	  $(abspath $(or $(CARGO_TARGET_DIR),target))/release .venv-cluster/bin/python

bench-cluster: cluster .venv-cluster/ready
	.venv-cluster/bin/python scripts/bench_cluster.py $(CLUSTER_TARGET)/release/selvedge-cluster $(EVENTS)
	cargo run --release --quiet --package benchmarks -- cluster work/benchmarks/cluster.csv reports/cluster.png

setup: $(NEEDS)

.venv-cluster/ready: cluster/requirements.txt
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv .venv-cluster || python3 -m venv .venv-cluster
	.venv-cluster/bin/pip install --quiet --disable-pip-version-check -r cluster/requirements.txt
	touch $@

.venv-peers/ready: crates/benchmarks/requirements.txt
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv .venv-peers || python3 -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check -r crates/benchmarks/requirements.txt
	touch $@

.venv-recommenders/ready: crates/benchmarks/requirements-recommenders.txt
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv .venv-recommenders || python3 -m venv .venv-recommenders
	.venv-recommenders/bin/pip install --quiet --disable-pip-version-check -r crates/benchmarks/requirements-recommenders.txt
	touch $@

.venv-serving/ready: crates/benchmarks/requirements-serving.txt
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv .venv-serving || python3 -m venv .venv-serving
	.venv-serving/bin/pip install --quiet --disable-pip-version-check -r crates/benchmarks/requirements-serving.txt
	touch $@

.venv-browser/ready: requirements-browser.txt
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv .venv-browser || python3 -m venv .venv-browser
	.venv-browser/bin/pip install --quiet --disable-pip-version-check -r requirements-browser.txt
	touch $@

.venv-api/ready: requirements-api.txt
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv .venv-api || python3 -m venv .venv-api
	.venv-api/bin/pip install --quiet --disable-pip-version-check -r requirements-api.txt
	touch $@

.venv/ready: requirements.txt
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv .venv || python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv-mlflow/ready: requirements-mlflow.txt
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv .venv-mlflow || python3 -m venv .venv-mlflow
	.venv-mlflow/bin/pip install --quiet --disable-pip-version-check --no-deps -r requirements-mlflow.txt
	touch $@

.libtorch/ready .minilm/ready: scripts/fetch.py | .venv/ready
	.venv/bin/python scripts/fetch.py $(patsubst .%/ready,%,$@) $(@D)
	touch $@
