# `make test` is all that a bare machine needs: it installs what is missing and runs every check.
# Checks use the dev profile (optimised a little, see Cargo.toml) with the features on, so that nothing is built twice.

SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)
export CARGO_TERM_COLOR ?= auto
GOPQ := /usr/share/gocode/src/github.com/lib/pq
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
INSTALL := $(SUDO) apt-get update && $(SUDO) apt-get install -y --no-install-recommends

.PHONY: help test checks optimised lint docs page libraries build current notebooks results planner matrix regime evidence validation mutations bench-check peers compiler tools browser node python go valgrind clean

help:           ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 20

# Two lanes, since either leaves cores idle for long; the second one's words are kept until it is done. What they need is
# installed before. The tests come last: their closing line is the summary.
test: tools browser node python go valgrind     ## format, lints, documentation, report page, results, notebooks, speed, all tests
	@mkdir -p target
	@$(MAKE) --no-print-directory optimised >target/optimised.log 2>&1 & lane=$$!; trap "kill $$lane 2>/dev/null" EXIT; \
	$(MAKE) --no-print-directory checks || exit; \
	echo "what the optimised program shows:"; wait $$lane; ended=$$?; cat target/optimised.log; exit $$ended
	cargo nextest run --locked --features parquet

checks: lint docs page libraries        ## what of the tests needs no optimised program; builds the rest of them
	cargo test --locked --features parquet --doc --quiet

optimised: notebooks bench-check        ## what of the tests needs the optimised program: results, notebooks, speed

lint: tools     ## format and lints
	cargo fmt --all --check
	cargo clippy --locked --workspace --features parquet --all-targets -- -D warnings

docs: compiler  ## the library's documentation, in target/doc
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --features parquet --no-deps

# The tests are built with the program: by itself it would have its libraries built once more, with fewer features.
page: tools browser     ## the report page in a real browser
	cargo nextest run --locked --features parquet --no-run
	cd tests/page && npm ci --no-audit --no-fund --loglevel=error && node --test

libraries: tools node python go ## the programs of the libraries that the pools' presets are held against
	cd tests/libraries/programs/rust && cargo build --locked
	cd tests/libraries/programs/node && npm ci --no-audit --no-fund --loglevel=error
	cd tests/libraries/programs/python && { test -x .venv/bin/pip || python3 -m venv .venv; }
	cd tests/libraries/programs/python && .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
	cd tests/libraries/programs/go && GO111MODULE=off GOPATH=/usr/share/gocode go build -o load load.go

build: compiler ## the program, optimised, in target/release
	cargo build --locked --release

current: build  ## whether the scenarios' files in results/ are what the program shows now, byte for byte, and the other inputs as they were
	sha256sum --check --quiet results/*/inputs.sha256
	results/rebuild --check

notebooks: current python       ## every notebook from top to bottom, in an environment of its own
	@test -x notebooks/.venv/bin/pip || python3 -m venv notebooks/.venv
	notebooks/.venv/bin/pip install --quiet --disable-pip-version-check --requirement notebooks/requirements.txt
	notebooks/.venv/bin/python notebooks/run

results: build  ## the outcome of each shipped scenario, anew
	results/rebuild

planner: build  ## how much jitter is enough, for three fleets: three quarters of an hour of a core
	results/planner/rebuild

matrix: build   ## which remedy for which incident: half an hour of a core
	results/matrix/rebuild

regime: build   ## where a fleet herds (results/regime) and where March's outage ends (results/outages): an hour or so
	results/regime/rebuild
	SEEDS=3 results/outages/rebuild

evidence: build ## what the results claim on other seeds and constants: hours of a core, kept in runs/evidence
	results/evidence

validation: compiler    ## herdsim beside theory and published results, in results/validation: half an hour of two cores
	results/validation/rebuild

# Debian's packages: `time` tells how much memory a program took.
peers: build python     ## herdsim's engine beside other simulators, and what it costs as fleets grow, on this machine
	@command -v /usr/bin/time >/dev/null || { $(INSTALL) time; }
	@test -x notebooks/.venv/bin/pip || python3 -m venv notebooks/.venv
	notebooks/.venv/bin/pip install --quiet --disable-pip-version-check --requirement notebooks/requirements.txt
	benches/peers/compare
	notebooks/.venv/bin/python results/speed/rebuild

# Instructions, not seconds: the same on an idle machine and on a busy one.
bench-check: tools valgrind     ## whether the engine and the model need over 5 % more instructions than they did
	benches/check

mutations: tools        ## whether the tests of make test can fail: half an hour of two cores
	results/validation/mutations

# Rust links with it, whatever is built.
compiler:
	@command -v cc >/dev/null || { $(INSTALL) gcc libc6-dev; }

tools: compiler
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { $(INSTALL) postgresql; }
	@command -v pgbouncer >/dev/null || ls /usr/sbin/pgbouncer >/dev/null 2>&1 || { $(INSTALL) pgbouncer; }
	@cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
	@cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
	@cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest

# Debian's packages; without a browser the tests of the page fail, they are not left out.
browser: node
	@command -v chromium >/dev/null || { $(INSTALL) chromium fonts-dejavu-core; }

node:
	@command -v npm >/dev/null || { $(INSTALL) nodejs npm; }

python:
	@python3 -c 'import ensurepip' 2>/dev/null || { $(INSTALL) python3-venv; }

# Its compiler and lib/pq, without any module from elsewhere.
go:
	@{ command -v go && ls $(GOPQ); } >/dev/null 2>&1 || { $(INSTALL) golang-go golang-github-lib-pq-dev; }

valgrind:
	@command -v valgrind >/dev/null || { $(INSTALL) valgrind libc6-dbg; }

clean:          ## all that was built
	cargo clean
