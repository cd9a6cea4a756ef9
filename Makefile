# Everything a newcomer needs on Debian 12 with a Swift 6 toolchain. `make help` lists the targets.

SWIFT_BUILD_FLAGS := --explicit-target-dependency-import-check error
PYTHON := .venv/bin/python

.PHONY: help demo test build release lint format sanitize-thread sanitize-address fuzz schema bench bench-peer bench-check \
  allocation-counter clean system-packages test-packages

help: ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

demo: release ## Build, then seal and open 10,000 made-up customers and show what happened.
	@echo "==> running the demonstration"
	@.build/release/reseal demo

test: lint build $(PYTHON) ## Check formatting, build, and run every test, interop with the Python client included.
	@echo "==> running the tests"
	@# All at once have so many sockets open that Foundation's Process, which copies a list of them, crashes.
	@swift test $(SWIFT_BUILD_FLAGS) --experimental-maximum-parallelization-width 8

build: test-packages ## Build everything for testing.
	@echo "==> building (debug)"
	@swift build --build-tests $(SWIFT_BUILD_FLAGS)

release: system-packages ## Build the program, optimised: .build/release/reseal
	@echo "==> building (release)"
	@swift build -c release --product reseal $(SWIFT_BUILD_FLAGS)

lint: system-packages ## Check the formatting.
	@echo "==> checking the formatting"
	@swift format lint --strict --recursive Sources Tests Package.swift

format: ## Format the sources.
	@swift format --in-place --recursive Sources Tests Package.swift

sanitize-thread: test-packages $(PYTHON) ## Run the unit tests under the thread sanitizer.
	@# Not those that look through all memory, of which the sanitizer maps terabytes.
	@mkdir -p .build-thread
	@clang -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -o .build-thread/libthreads.so Tests/Sanitizers/threads.c
	@ulimit -s 65536 && swift build --build-tests --sanitize=thread --scratch-path .build-thread
	@ulimit -s 65536 && LD_PRELOAD=$(CURDIR)/.build-thread/libthreads.so swift test --skip-build --sanitize=thread \
	  --scratch-path .build-thread --skip 'EndToEndTests|MemoryTests' --experimental-maximum-parallelization-width 4

sanitize-address: test-packages ## Run the codec, crypto and JSON tests under the address sanitizer.
	@# Checked frames are several times as large; threads take their stacks' size from this limit.
	@ulimit -s 65536 && ASAN_OPTIONS=detect_leaks=0 swift test --sanitize=address --scratch-path .build-address \
	  --filter 'CodecsTests|FieldCryptoTests|JSONTests'

# Inputs for each target.
FUZZ_RUNS := 1200000

fuzz: system-packages ## Fuzz the rewriters, parsers and frames: FUZZ_RUNS inputs each.
	@echo "==> building the fuzzer"
	@RESEAL_FUZZER=1 swift build -c release --scratch-path .build-fuzz --product fuzz --sanitize fuzzer \
	  -Xswiftc -sanitize=fuzzer,address -Xswiftc -enable-testing
	@Scripts/fuzz .build-fuzz/release/fuzz $(FUZZ_RUNS)

schema: release ## Write pipelines/pipeline.schema.json anew.
	@.build/release/reseal schema > pipelines/pipeline.schema.json

bench: release allocation-counter ## Measure the record engine beside a bare C loop over OpenSSL.
	@LD_PRELOAD=.build/release/libAllocationCounter.so .build/release/reseal bench engine

bench-peer: release $(PYTHON) ## Measure it beside the genuine Python client, with the same records.
	@$(PYTHON) Benchmarks/peer.py .build/release/reseal

bench-check: release allocation-counter ## Compare the engine's ratios with the recorded ones.
	@python3 Benchmarks/check.py .build/release/reseal Benchmarks/recorded.json

allocation-counter: system-packages
	@swift build -c release --product AllocationCounter $(SWIFT_BUILD_FLAGS)

clean: ## Remove everything built.
	@rm -rf .build .build-* .venv

system-packages:
	@Scripts/install-packages librdkafka-dev libssl-dev libcurl4-openssl-dev pkg-config

test-packages:
	@Scripts/install-packages librdkafka-dev libssl-dev libcurl4-openssl-dev pkg-config kcat openssl python3-venv

# The interpreter is a link to the system's, whose age says nothing about what is installed here.
$(PYTHON): .venv/installed ;

.venv/installed: Tests/Interop/requirements.txt | test-packages
	@Scripts/make-python-environment .venv Tests/Interop/requirements.txt
	@touch $@
