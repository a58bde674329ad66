# PiCloud: what one does with a clone. `make help` lists it.

.POSIX:
.NOTPARALLEL:

# Where `make run` listens; `make run LISTEN=0.0.0.0:8080` for other machines too.
LISTEN = 127.0.0.1:8080
# How long `make fuzz` takes.
FUZZ_SECONDS = 60
# How many calls `make test-schema` makes of each kind; `make test` makes a few.
SCHEMA_EXAMPLES = 100
# How long `make test-soak` breaks things; `make test` does so for a minute.
SOAK_SECONDS = 600
# The Debian releases `make test-fresh` tries.
DEBIAN = 12 13

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | while IFS='	' read -r name what; do printf '  %-12s %s\n' "$$name" "$$what"; done

run: deps ## install what is missing, start PiCloud and its PostgreSQL, print the address
	@data=$$(.ci/data-dir) && echo "make run: data in $$data" && \
	exec cargo run -- serve --listen '$(LISTEN)' --data-dir "$$data"

doctor: deps ## look whether the machine and the instance of `make run` are well
	@cargo run --quiet -- doctor --listen '$(LISTEN)' --data-dir "$$(.ci/data-dir)"

config: deps ## print each value `make run` uses, and where it came from
	@cargo run --quiet -- config show --listen '$(LISTEN)' --data-dir "$$(.ci/data-dir)"

test: deps-test ## everything that must hold before a commit
	@.ci/lint fmt
	@.ci/lint clippy
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --quiet
	cargo deny --log-level error check bans licenses sources
	cargo test --locked

test-all: test fuzz test-schema test-soak test-fresh ## test, and what is slow

test-fresh: ## the README's commands in a bare Debian (DEBIAN=12, DEBIAN=13 or both); root, network
	@.ci/deps fresh
	@tests/fresh/run $(DEBIAN)

fuzz: deps-test ## random scripts and bodies against the engine (FUZZ_SECONDS=3600 for an hour)
	cargo test --locked --test fuzz -- --seconds $(FUZZ_SECONDS)

test-schema: deps-test ## the API against its own document, call by call (SCHEMA_EXAMPLES=1000 for more)
	SCHEMA_EXAMPLES=$(SCHEMA_EXAMPLES) cargo test --locked --test it -- --exact schema::the_api_keeps_to_its_document --nocapture

test-soak: deps-test ## nodes killed, frozen and cut off under load; nothing may be lost (SOAK_SECONDS=3600 for an hour)
	cargo test --locked --test soak -- --seconds $(SOAK_SECONDS)

bench: ## measure, figures for docs/performance.md
	@.ci/deps bench
	cargo bench --locked --bench engine
	cargo bench --locked --bench spine
	cargo bench --locked --bench dispatch
	cargo bench --locked --bench dispatch -- --card

fmt: ## format the code
	cargo fmt

lint: ## clippy alone, whatever its version
	cargo clippy --locked --all-targets -- -D warnings

deps: ## install what `make run` needs and is missing
	@.ci/deps run

deps-test: ## install what `make test` needs and is missing
	@.ci/deps test

audit: deps-test ## known vulnerabilities in dependencies (fetches the advisory database: needs the network)
	cargo deny check advisories

.PHONY: help run doctor config test test-all test-fresh fuzz test-schema test-soak bench fmt lint deps deps-test audit
