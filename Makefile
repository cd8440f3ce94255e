# The commands for developers; `make help` lists them. Each command first installs missing Debian packages, or
# names them if it has no right to install.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help run build test simulate bench micro flamegraph fuzz asan tsan traffic format clean bootstrap

SECONDS ?= 30
ONLY ?=
ARGUMENTS ?=
FILTER ?=
swift = swift=$$(packaging/find-swift)
filter = $(if $(FILTER),--filter '$(FILTER)')

help: ## print this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

bootstrap:
	@packaging/bootstrap build

build: bootstrap ## build for release: .build/release/larder
	@$(swift)
	"$$swift" build -c release --product larder

run: build ## serve examples/site on a free port and print its address; Ctrl-C stops it
	@exec packaging/run

test: bootstrap ## run all tests; FILTER=HTTPTests runs some
	@$(swift)
	"$$swift" test --disable-xctest $(filter)

simulate: bootstrap ## run a million random steps of the simulator, with an optimised build
	@$(swift)
	"$$swift" test -c release -Xswiftc -enable-testing --scratch-path .build-simulate --disable-xctest \
	    --filter SimulationTests

asan: bootstrap ## run all tests under AddressSanitizer and LeakSanitizer
	@$(swift)
	export LSAN_OPTIONS=suppressions=$(CURDIR)/packaging/lsan.supp:print_suppressions=0
	"$$swift" test --disable-xctest --sanitize=address --scratch-path .build-asan $(filter)

tsan: bootstrap ## run all tests under ThreadSanitizer
	@$(swift)
	export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
	"$$swift" test --disable-xctest --sanitize=thread --scratch-path .build-tsan $(filter)

fuzz: bootstrap ## run each fuzz target for SECONDS=30; ONLY=FuzzChunked runs one
	@$(swift) packaging/fuzz "$(SECONDS)" $(ONLY)

bench: ## compare Larder with other proxies: CPU, latency, memory, hit ratio; ARGUMENTS=--quick is short
	@exec perf/bench $(ARGUMENTS)

micro: bootstrap ## measure the instructions and the time of each step of a request
	@exec perf/micro $(ARGUMENTS)

flamegraph: ## draw where Larder spends its time under load; ARGUMENTS="--row connection-1k"
	@exec perf/flamegraph $(ARGUMENTS)

traffic: ## check a running Larder (perf/traffic/README.md); ONLY="edges mixed" runs some of the checks
	@exec perf/traffic/all $(ONLY)

format: bootstrap ## format the sources with .swift-format
	@$(swift)
	"$$swift" format --in-place --parallel --recursive Sources Tests perf Package.swift

clean: ## remove all builds
	@rm -rf .build .build-asan .build-simulate .build-tsan .build-fuzz .build-micro perf/results
