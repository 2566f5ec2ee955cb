# ScaleStyle's commands. Every target sets up what it needs, may be repeated, and is quick the second time.
# `make help` lists them. Settings may be given on the command line: make demo PORT=9000

JOBS ?= $(shell nproc)
PORT ?= 8080
DEMO_DATA ?= build/demo
PRODUCTS ?= 1000
SEED ?= 1
FUZZ_SECONDS ?= 60
DATA ?=
export PORT DEMO_DATA PRODUCTS SEED ARTICLES IMAGES TRANSACTIONS JOBS FUZZ_SECONDS

SHELL := /bin/bash
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help setup build all models test-models test demo slow bench bench-rivals bench-growth asan tsan fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo "Settings: JOBS=$(JOBS) PORT=$(PORT) DEMO_DATA=$(DEMO_DATA) PRODUCTS=$(PRODUCTS) SEED=$(SEED) ARTICLES= IMAGES= TRANSACTIONS="

setup: ## install missing packages (needs root or sudo) and third-party files
	@scripts/setup.sh

build: setup ## the release binary: build/release/scalestyle
	@scripts/build.sh release scalestyle

all: setup
	@scripts/build.sh release all

models: build ## fetch the default models into SCALESTYLE_MODELS (~/.cache/scalestyle/models)
	@build/release/scalestyle models fetch

# The tests use these two. Those that need the second are skipped where it cannot be had (a failure on CI).
test-models: build
	@build/release/scalestyle models fetch bge-small-en-v1.5
	@build/release/scalestyle models fetch all-MiniLM-L6-v2 || echo "going on without all-MiniLM-L6-v2"

test: all test-models ## build, then run the one-minute test suite
	@scripts/run_tests.sh build/release --label-exclude slow

demo: build models ## serve a sample catalogue, or ARTICLES=… IMAGES=… TRANSACTIONS=…, until ^C
	@scripts/demo.sh

slow: all test-models ## run the slow tests, and all tests under both sanitizers
	@scripts/run_tests.sh build/release --label-regex slow
	@scripts/sanitize.sh asan all
	@scripts/sanitize.sh tsan all

bench: all test-models ## figures to reach as gates, DATA=FOLDER of the H&M catalogue, rivals beside (a quarter of an hour)
	@scripts/bench_suite.sh $(if $(DATA),--data $(DATA))

bench-rivals: all test-models ## measure ours beside rivals (docs/rivals.md), or beside RIVALS='vectors words'; 3 GB of packages
	@scripts/bench_rivals.sh $(RIVALS)

bench-growth: all test-models ## measure cost as things grow, and its laws (docs/growth.md), or GROWTH='vectors words'; 17 GB of disk
	@scripts/bench_growth.sh $(GROWTH)

asan tsan: setup test-models
	@scripts/sanitize.sh $@
asan: ## run the parsing parts' tests under AddressSanitizer and UndefinedBehaviorSanitizer
tsan: ## run the concurrent parts' tests under ThreadSanitizer

fuzz: setup ## run each fuzz target for FUZZ_SECONDS (60): libFuzzer where there is clang 19, else our driver
	@scripts/fuzz.sh

clean: ## remove the build folder (models stay in their cache)
	@rm -rf build
