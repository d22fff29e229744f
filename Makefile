# wsfleet: `make help` lists what there is to make.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export CGO_ENABLED ?= 1

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
TFLINT := github.com/terraform-linters/tflint@v0.64.0
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.5.0
BALANCER ?= haproxy
LAYER ?= 7

.PHONY: help
help: ## list the targets
	@echo "wsfleet: a million WebSocket connections. Start with: make up"; echo
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: doctor
doctor: need-go ## what this machine has, lacks, and how to get it
	@go run ./test/doctor

.PHONY: deps
deps: need-go ## install what is missing (Debian packages, Go modules)
	@go run ./test/doctor -install
	@go mod download

.PHONY: build
build: need-go ## build bin/wsnode, bin/wsload and bin/lab
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/wsnode ./server
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/wsload ./loadtest
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/lab ./test/lab

.PHONY: run
run: need-go ## one node on this machine: ws://localhost:8765, admin on 8766
	@mkdir -p bin
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/wsnode ./server
	@exec bin/wsnode

.PHONY: up
up: deps build ## the whole fleet on this machine, verified with 10,000 connections (BALANCER=nginx for Nginx, LAYER=4 for TCP)
	@go run ./test/cluster/fleet up -balancer $(BALANCER) -layer $(LAYER)

.PHONY: status
status: ## hosts of the fleet that is up
	@bin/lab status

# Labs of tests end with their tests; one that was killed has left its folder, and that names what is still there.
.PHONY: down
down: need-go ## end the fleet, and what a killed test has left; nothing of them stays
	@mkdir -p bin
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/lab ./test/lab
	@bin/lab down
	@for lab in ct:wsfleet-cluster-test mil:wsfleet-million; do home=$${TMPDIR:-/tmp}/$${lab#*:}; \
		if [ -d "$$home" ]; then bin/lab -name "$${lab%:*}" -project "$$home" down && rm -rf "$$home"; fi; done

.PHONY: test
test: deps build ## every test: units with the race detector, real servers, Terraform, a whole fleet in the lab
	go vet ./...
	cd test/bench && go vet ./... && go test ./...
	go test -race -timeout 20m $$(go list ./... | grep -v /test/cluster)
	go test -count=1 -timeout 40m -v ./test/cluster

.PHONY: test-unit
test-unit: need-go ## the Go tests that need no lab
	go test -race -short ./...

FUZZTIME ?= 1m
.PHONY: fuzz
fuzz: need-go ## the fuzzers of wsnode, one after the other (FUZZTIME=10m for each)
	@for f in frame:FuzzParse frame:FuzzClose .:FuzzHandshake .:FuzzFrames; do \
		go test "./server/session/$${f%:*}" -run '^$$' -fuzz "^$${f#*:}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x; \
	done

.PHONY: lint
lint: deps ## every linter
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo "gofmt: the files above"; exit 1; }
	go vet ./...
	go run $(GOLANGCI) run
	terraform fmt -check -recursive terraform
	go run $(TFLINT) --chdir=terraform --recursive --config=$(CURDIR)/terraform/.tflint.hcl
	shellcheck --exclude=SC2154 terraform/cluster/boot/*.tftpl
	cd ansible && ansible-lint --offline && yamllint .
	shellcheck .ci/run

SCENARIO ?= small
TTL ?= 8h
EMULATOR ?=
.PHONY: plan
plan: need-go ## what SCENARIO=million would make, ended by itself after TTL=8h or never (EMULATOR=1: without an AWS account)
	@go run ./test/scenario plan -scenario $(SCENARIO) -ttl $(TTL) $(if $(EMULATOR),-emulator)

.PHONY: cost
cost: need-go ## what every scenario costs an hour, into terraform/README.md
	@go run ./test/scenario cost

REGIONS ?= eu-central-1
.PHONY: leftovers
leftovers: need-go ## fails while AWS has anything of the fleet (REGIONS=all for every region)
	@go run ./test/leftovers -regions $(REGIONS)

# The parts are libraries (30 minutes: bench.md), broker (6: broker.md) and sustained (10: sustained.md), PART=broker is one.
# With flags it is a part of a part (test/bench -help lists them), which only prints:
# make bench BENCHFLAGS="-servers wsnode,gws -cells 1000x128 -floor none -rounds 1 -scaling none"
PART ?= libraries broker sustained
BENCHFLAGS ?=
.PHONY: bench
bench: build ## wsnode beside other libraries, channels through Redis, the most broadcasts that hold: docs/results
	@cd test/bench && if [ -n '$(BENCHFLAGS)' ]; then go run . -root ../.. $(BENCHFLAGS); else \
		for part in $(PART); do go run . -root ../.. -part "$$part" -out "../../docs/results/$${part/libraries/bench}.md"; done; fi

.PHONY: siege
siege: need-go ## wsnode under attack at full size: slow, silent and vanished peers, limits, signals
	go test -count=1 -timeout 30m -v ./test/siege -full -out $(CURDIR)/docs/results/siege.md

.PHONY: faults
faults: need-go ## Redis and nodes broken in a stream of broadcasts at full size, 10 minutes: docs/results/fanout.md
	go test -count=1 -timeout 30m -v ./test/fanout -full -out $(CURDIR)/docs/results/fanout.md

.PHONY: crowd
crowd: deps ## wsload with 300,000 clients against 16 nodes on this machine: docs/results/crowd.md
	go test -count=1 -timeout 30m -v -run '^TestCrowd$$' ./loadtest -crowd 300000 -crowd-rate 4000 -crowd-hold 30s -crowd-out $(CURDIR)/docs/results/crowd.md

# make million BALANCER=nginx LAYER=4, or BALANCER=none for the direct path; CONNECTIONS for another number.
CONNECTIONS ?= 1000000
MILLION_RATE ?= 5500
MILLION_HOLD ?= 10m
MILLION_RUN = CONNECTIONS=$(CONNECTIONS) BALANCER=$(BALANCER) LAYER=$(LAYER)
MILLION_OUT ?= docs/results/$(shell date +%F)-million$(subst -none-7,-direct,$(subst -haproxy-7,,-$(BALANCER)-$(LAYER)))
.PHONY: million
million: deps build ## a million connections on this machine, verified, held and broken on purpose, 45 minutes: docs/results
	@COMMAND='make million $(MILLION_RUN)' go test -count=1 -timeout 3h -v -run '^TestMillion$$' ./test/cluster \
		-million $(CONNECTIONS) -million-balancer $(BALANCER) -million-layer $(LAYER) \
		-million-rate $(MILLION_RATE) -million-hold $(MILLION_HOLD) -million-out $(CURDIR)/$(MILLION_OUT)

# The Prometheus that is asked; of the fleet that is up unless told. SHOTSFLAGS: -last 10m, -var instance=i-1:8766, -allow-empty ...
PROMETHEUS ?=
SHOTSFLAGS ?=
.PHONY: shots
shots: deps build ## pictures of every dashboard from the Prometheus of the fleet that is up: docs/pictures
	@url='$(PROMETHEUS)'; url="$${url:-$$(go run ./test/cluster/fleet prometheus)}"; \
		go run ./grafana/shots/render -prometheus "$$url" -out docs/pictures $(SHOTSFLAGS) grafana/dashboards/*.json

SIZEFLAGS ?=
.PHONY: size
size: need-go ## the fleet for CONNECTIONS=1000000, with its arithmetic and cost: docs/sizing.md (SIZEFLAGS=-help for the rest)
	@go run ./test/sizing/cmd -connections $(CONNECTIONS) $(SIZEFLAGS)

.PHONY: size-figures
size-figures: deps ## measure what the sizing model lacks, 20 minutes on a quiet machine: docs/results/sizing.md
	go test -count=1 -timeout 60m -v ./test/sizing/measure -full -out $(CURDIR)/docs/results/sizing.md

.PHONY: clean
clean: ## remove what was built, and the image of the lab's hosts
	@test ! -x bin/lab || bin/lab image --remove
	@rm -rf bin

.PHONY: need-go
need-go:
	@command -v go >/dev/null || { echo "go is not installed: see https://go.dev/dl" >&2; exit 1; }
