# Shorthands. The checks themselves are in .ci/run, which CI runs as a whole.
.PHONY: test race lint fuzz chaos soak cover examples bench ci fmt tidy

test:
	go test ./...

race:
	go test -race ./...

lint:
	bash .ci/run format vet lint

# FUZZTIME=1m make fuzz
fuzz:
	bash .ci/run fuzz

# CHAOS_OPS=1000000 CHAOS_SEED=5001 make chaos. CI runs the first seeds with the other tests.
CHAOS_OPS ?= 100000
CHAOS_SEED ?= 1
chaos:
	go test . -count=1 -timeout=1h -v -run='^TestChaos$$' -chaos.ops=$(CHAOS_OPS) -chaos.seed=$(CHAOS_SEED)

# A million pushes and two hundred thousand calls over loopback. CI runs a small one with the other tests.
SOAK_PUSHES ?= 1000000
SOAK_CALLS ?= 200000
soak:
	go test ./internal/soak -count=1 -timeout=2h -v -soak.pushes=$(SOAK_PUSHES) -soak.calls=$(SOAK_CALLS)

cover:
	go test -coverprofile=coverage.out ./...
	go tool cover -func=coverage.out | tail -n 1

examples:
	bash .ci/run examples

# Four minutes. CI only checks that the contestants agree.
bench:
	go -C bench run ./cmd/table
	go -C bench run ./cmd/footprint

ci:
	bash .ci/run

fmt:
	git ls-files --cached --others --exclude-standard '*.go' | xargs -r gofmt -w

tidy:
	go mod tidy
	for module in $$(git ls-files --cached --others --exclude-standard '*/go.mod'); do go -C "$${module%/go.mod}" mod tidy || exit; done
