# Shorthands. The checks themselves are in .ci/run, which CI runs as a whole. CONTRIBUTING.md says what to run when.
# bench and tools are built alone; go.work has the modules that are released, and their examples.
export GOWORK = off

.PHONY: test race lint fmt tidy ci fuzz chaos soak backlog lifecycle cover examples bench bench-engines journal footprint \
	entered

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

# Claims while 100,000 items wait, on PostgreSQL, MariaDB and SQLite, also beside an open transaction. CI works off 400.
BACKLOG ?= 100000
backlog:
	GOWORK=$(CURDIR)/go.work go -C sqlstore test -count=1 -timeout=1h -v -run='^TestBacklog' . -backlog=$(BACKLOG)

# The journal in simulated time: 2,500 worlds of 40 renewals, and the mutants of its tables, each of which a world has to
# kill. An hour and a half, and half an hour.
WORLDS ?= 2500
lifecycle:
	go test -count=1 -timeout=5h -run='^TestWorlds' ./lifecycle -worlds=$(WORLDS)
	go test -count=1 -timeout=5h -v -run='^TestMutantsApply' ./lifecycle -mutants=.

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

# Half an hour, beside the servers of CONTRIBUTING.md. ENGINES='Add|Push' ROUNDS=1 ITEMS=500 make bench-engines
ENGINES ?= .
ITEMS ?= 2000
ENGINESTAT = go -C bench/engines tool benchstat \
	-filter='.unit:(items/s OR p50-sec OR p99-sec) $(1)' -col='/impl@($(2))' engines.txt
bench-engines:
	go -C bench/engines test -c -o engines.test .
	cd bench/engines && for round in $$(seq $(ROUNDS)); do \
		./engines.test -test.run='^$$' -test.bench='$(ENGINES)' -test.benchtime=$(ITEMS)x -test.timeout=1h || exit; \
	done >engines.txt
	$(call ENGINESTAT,-.name:RedisGate,plain ours ours-singly river river-nothing)
	$(call ENGINESTAT,.name:RedisGate,setnx setnx-twice begin begin-finish)

# A journal of a million renewals, on PostgreSQL and SQLite: three minutes, and some GB of disk. ITEMS=500 make journal
JOURNAL ?= 1000000
journal:
	go -C bench/engines test -run='^$$' -bench='Growth/db=(postgres|sqlite)' -benchtime=$(ITEMS)x -timeout=3h . \
		-journal=$(JOURNAL)

# Memory, first calls, goroutines, and what an import brings.
footprint:
	go -C bench run ./cmd/footprint

# The functions that one submit and one push enter.
entered:
	go -C bench run ./cmd/entered -v
