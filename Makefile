# Shorthands. The checks themselves are in .ci/run, which CI runs as a whole. CONTRIBUTING.md says what to run when.
# bench and tools are built alone; go.work has the modules that are released, and their examples.
export GOWORK = off

.PHONY: test race lint fmt tidy ci fuzz chaos soak cover examples bench footprint entered

# All tests of the root module.
test:
	go test ./...

# The same under the race detector.
race:
	go test -race ./...

# gofmt, go vet and the linters of .golangci.yml.
lint:
	bash .ci/run format vet lint

# Formats all Go files.
fmt:
	git ls-files --cached --others --exclude-standard '*.go' | xargs -r gofmt -w

# Puts the go.mod files of all modules in order.
tidy:
	FIX=1 bash .ci/run tidy

# Everything that CI does.
ci:
	bash .ci/run

# Each fuzz target for a while: FUZZTIME=1m make fuzz
fuzz:
	bash .ci/run fuzz

# CHAOS_OPS=1000000 CHAOS_SEED=5001 make chaos. CI runs the first seeds with the other tests.
CHAOS_OPS ?= 100000
CHAOS_OUTBOXES ?= 200
CHAOS_SEED ?= 1
chaos:
	go test ./internal/acceptance -count=1 -timeout=1h -v -run='^Test(Outbox)?Chaos$$' \
		-chaos.ops=$(CHAOS_OPS) -chaos.outboxes=$(CHAOS_OUTBOXES) -chaos.seed=$(CHAOS_SEED)

# A million pushes and two hundred thousand calls over loopback. CI runs a small one with the other tests.
SOAK_PUSHES ?= 1000000
SOAK_CALLS ?= 200000
soak:
	go test ./internal/acceptance/soak -count=1 -timeout=2h -v -soak.pushes=$(SOAK_PUSHES) -soak.calls=$(SOAK_CALLS)

# Statement coverage.
cover:
	go test -coverprofile=coverage.out ./...
	go tool cover -func=coverage.out | tail -n 1

# Every example, offline.
examples:
	bash .ci/run examples

# Four minutes. CI only checks that the contestants agree. BENCH='Small|Push' ROUNDS=1 BENCHTIME=10x make bench
BENCH ?= .
BENCHTIME ?= 200ms
ROUNDS ?= 6
BENCHSTAT = go -C bench tool benchstat -filter='.unit:(sec/op OR B/op OR allocs/op OR connections) $(1)' -col='/impl@($(2))' bench.txt
bench:
	go -C bench test .
	go -C bench test -c -o bench.test .
	cd bench && for round in $$(seq $(ROUNDS)); do \
		./bench.test -test.run='^$$' -test.bench='$(BENCH)' -test.benchtime=$(BENCHTIME) || exit; \
	done >bench.txt
	$(call BENCHSTAT,-.name:/^Push/,std ours resty ours-observed)
	$(call BENCHSTAT,.name:/^Push/,std ours std+checks standard-webhooks stripe-go)

# Memory, first calls, goroutines, and what an import brings.
footprint:
	go -C bench run ./cmd/footprint

# The functions that one submit and one push enter.
entered:
	go -C bench run ./cmd/entered -v
