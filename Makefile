# Shorthands. The checks themselves are in .ci/run, which CI runs as a whole.
.PHONY: test race lint fuzz cover examples ci fmt tidy

test:
	go test ./...

race:
	go test -race ./...

lint:
	bash .ci/run format vet lint

# FUZZTIME=1m make fuzz
fuzz:
	bash .ci/run fuzz

cover:
	go test -coverprofile=coverage.out ./...
	go tool cover -func=coverage.out | tail -n 1

examples:
	bash .ci/run examples

ci:
	bash .ci/run

fmt:
	git ls-files --cached --others --exclude-standard '*.go' | xargs -r gofmt -w

tidy:
	go mod tidy
	for module in $$(git ls-files --cached --others --exclude-standard '*/go.mod'); do go -C "$${module%/go.mod}" mod tidy || exit; done
