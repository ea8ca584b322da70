# transhume: `make demo` and `make test` are all a newcomer needs. Both install what they need (Debian packages; root or
# sudo the first time) and share one build.

CARGO ?= cargo
DEMO ?= transhume-demo-servers
DEMO_ACCOUNTS = $(shell seq -s, -f 'account%.0f' 1 20)

.PHONY: demo test lint torture bench deny

# The whole job on a simulated Microsoft 365 tenant, into a real Dovecot and a real Radicale. Again on the same project,
# nothing moves.
# A test is named with the programs, since cargo then builds the libraries as `make test` wants them, once for both.
demo:
	scripts/install-build-tools
	scripts/install-test-servers dovecot dav
	$(CARGO) build --workspace --bins --test architecture
	mkdir -p $(DEMO)
	target/debug/transhume-servers dovecot --dir $(DEMO)/dovecot --accounts $(DEMO_ACCOUNTS) --master migrator -- \
		target/debug/transhume-servers radicale --dir $(DEMO)/radicale --accounts $(DEMO_ACCOUNTS) -- \
		scripts/demo target/debug/transhume $(DEMO)

# Properties are tried on the same cases each time here, so that a change answers for itself only; `make torture` looks
# for new ones.
test: lint
	scripts/install-test-servers
	PROPTEST_RNG_SEED=1 $(CARGO) nextest run --workspace --no-fail-fast
	$(CARGO) test --workspace --doc --quiet

lint:
	scripts/install-build-tools nextest
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

# What takes longer: many kills, large messages, long fault scripts, many new cases for the properties.
torture:
	scripts/install-build-tools nextest
	scripts/install-test-servers
	PROPTEST_CASES=20000 $(CARGO) nextest run --workspace --profile torture \
		-E 'package(transhume-mappings) & binary(properties)' --no-fail-fast
	TRANSHUME_TORTURE_KILLS=50 $(CARGO) nextest run --workspace --profile torture \
		-E 'binary(torture) | binary(large)' --run-ignored all --no-fail-fast

# Figures as ratios in one run: see benches/.
bench:
	scripts/install-build-tools
	scripts/install-test-servers
	$(CARGO) bench --bench speed

# Licences, advisories, sources. Needs `cargo install cargo-deny`.
deny:
	$(CARGO) deny check
