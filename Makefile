# Larder's commands. All of them bootstrap first: missing Debian packages are installed, or named where that may not be.
# `make help` lists them.
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

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

bootstrap:
	@packaging/bootstrap build

build: bootstrap ## a release build: .build/release/larder
	@$(swift)
	"$$swift" build -c release --product larder

run: build ## serve examples/site on a free port and print its address; Ctrl-C stops it
	@exec packaging/run

test: bootstrap ## all tests; FILTER=HTTPTests for some
	@$(swift)
	"$$swift" test --disable-xctest $(filter)

simulate: bootstrap ## a million random steps of the worker's machines, optimised
	@$(swift)
	"$$swift" test -c release -Xswiftc -enable-testing --scratch-path .build-simulate --disable-xctest \
	    --filter SimulationTests

asan: bootstrap ## all tests under AddressSanitizer and LeakSanitizer
	@$(swift)
	export LSAN_OPTIONS=suppressions=$(CURDIR)/packaging/lsan.supp:print_suppressions=0
	"$$swift" test --disable-xctest --sanitize=address --scratch-path .build-asan $(filter)

tsan: bootstrap ## all tests under ThreadSanitizer
	@$(swift)
	export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
	"$$swift" test --disable-xctest --sanitize=thread --scratch-path .build-tsan $(filter)

fuzz: bootstrap ## every fuzz target for SECONDS=30 each, from its corpus; ONLY=FuzzChunked for one
	@$(swift) packaging/fuzz "$(SECONDS)" $(ONLY)

bench: ## Larder beside its peers: CPU, latency, memory, hit ratio; ARGUMENTS=--quick for a short run
	@exec perf/bench $(ARGUMENTS)

micro: bootstrap ## instructions and times of a request's steps, each by itself
	@exec perf/micro $(ARGUMENTS)

flamegraph: ## where Larder's time goes under load; ARGUMENTS="--row connection-1k"
	@exec perf/flamegraph $(ARGUMENTS)

traffic: ## traffic checks against a running Larder (perf/traffic/README.md); ONLY="edges mixed" for some
	@exec perf/traffic/all $(ONLY)

format: bootstrap ## lay the sources out by .swift-format
	@$(swift)
	"$$swift" format --in-place --parallel --recursive Sources Tests perf Package.swift

clean: ## remove all builds
	@rm -rf .build .build-asan .build-simulate .build-tsan .build-fuzz .build-micro perf/results
