# Everything a developer or CI runs. Needs python3 (3.9+), make and git; the rest is fetched, pinned by hash.

ARCH ?= arm64
STAGE ?= dev
# The shell has a USER of its own; an operator's is given to make.
OPERATOR = $(if $(filter command,$(firstword $(origin USER))),--user=$(USER))
CONFIG := $(if $(filter prod,$(STAGE)),prod,default)
USER_ID = $(if $(filter command,$(firstword $(origin USER))),$(USER))
REGION ?= $(shell sed -n '/^\[$(CONFIG)\.deploy/,/^$$/s/^region = "\(.*\)"/\1/p' samconfig.toml)
HOST_ARCH := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)

PY := .venv/bin/python
BUILD = .aws-sam/$(ARCH)
UV_VERSION := $(shell sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements/dev.txt)
UV_DIR := .uv/$(UV_VERSION)
UV := $(UV_DIR)/bin/uv
checksum = $(shell cksum < $(1) | cut -d ' ' -f 1)
VENV_READY := .venv/.ready-$(call checksum,requirements/dev.txt)
SAM_READY := .venv-sam/.ready-$(call checksum,requirements/sam.txt)
OLD_CLIENT := .awslambdaric-3
OLD_CLIENT_READY := $(OLD_CLIENT)/.ready-$(call checksum,requirements/awslambdaric-3.txt)
CHECKOV_READY := .venv-checkov/.ready-$(call checksum,requirements/checkov.txt)
CLIENTS_READY := .venv-clients/.ready-$(call checksum,requirements/clients.txt)
SAM = PATH="$(CURDIR)/.venv/bin:$$PATH" .venv-sam/bin/python -m samcli
COMPILE := $(PY) -m compileall -q -f --invalidation-mode unchecked-hash
PINS := $(PY) -m uv pip compile -q --generate-hashes --no-emit-index-url --no-annotate --python-version 3.13

export SAM_CLI_TELEMETRY := 0
export UV_SYSTEM_CERTS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export ARCH
# Without bytecode on disk, each test process and each function process compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test test-busy fuzz simulate mutate check format openapi build e2e bench deploy checked-params admin-key export-user forget-user smoke copy-table import-template pins clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-15s %s\n' "$$name" "$$text"; done

setup: $(VENV_READY) $(OLD_CLIENT_READY) ## create .venv; the other targets do this when it is missing or out of date

run: setup ## start the whole stack locally, with demo users and a fake OpenRouter
	@$(PY) -m tests.local --demo

# Without a fixed threshold, glibc keeps the memory of large strings that were freed: 200 MB per process.
test test-busy: export MALLOC_MMAP_THRESHOLD_ := 1048576
test: setup ## run the test suite
	@$(PY) -m pytest -n auto --dist loadfile

test-busy: setup ## run the tests beside BUSY=8 busy processes, with NICE=0: they must pass all the same
	@BUSY=$(or $(BUSY),8) NICE=$(or $(NICE),0) $(PY) -m tests.busy -n auto --dist loadfile

# Without these, as in .ci/run, they take a minute and a half and try the same each time.
fuzz: export EXAMPLES ?= 200
fuzz: export HISTORIES ?= 500
fuzz: export STEPS ?= 50
fuzz: setup ## run the generated tests for longer (EXAMPLES=200 requests per operation, HISTORIES=500, STEPS=50, SEED=...)
	@$(PY) -m pytest -n 2 --dist loadfile -m fuzz -o faulthandler_timeout=0 tests/fuzz

simulate: setup ## run seeded fault-injection schedules against the ledger (SCHEDULES=100000, SEED=0)
	@PYTHONPATH=layers/core $(PY) -m tests.simulator

mutate: setup ## run mutation tests on the security and money modules and count the surviving mutants (MODULES=...)
	@$(PY) -m tests.mutation $(MODULES)

check: setup $(SAM_READY) $(CHECKOV_READY) ## check format, lint, types, import directions, the template and the OpenAPI document
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	PYTHONPATH=layers/core $(PY) .venv/bin/lint-imports
	$(SAM) validate --lint
	$(PY) .venv/bin/cfn-lint template.yaml
	@mkdir -p .aws-sam
	$(PY) -m tests.architecture.transform > .aws-sam/transformed.json
	$(PY) .venv/bin/cfn-lint .aws-sam/transformed.json
	.venv-checkov/bin/python -m checkov.main --config-file .ci/checkov.yaml
	PYTHONPATH=layers/core $(PY) -m tests.openapi --check

format: setup ## format the code and apply ruff's automatic fixes
	@$(PY) -m ruff check -q --fix . ; $(PY) -m ruff format -q .

openapi: setup ## generate the OpenAPI document, with recorded responses as examples
	@PYTHONPATH=layers/core $(PY) -m tests.openapi

build: setup $(SAM_READY) ## build functions and layers without Docker (ARCH=arm64 or x86_64)
	$(SAM) build --build-dir $(BUILD) --parameter-overrides Architecture=$(ARCH)
	@for function in $(BUILD)/*Function; do $(COMPILE) -s "$$function" -p /var/task "$$function" || exit 1; done

e2e: $(CLIENTS_READY) ## build for this machine and run the end-to-end tests on the artifacts under AWS's runtime client
	@$(MAKE) --no-print-directory build ARCH=$(HOST_ARCH)
	@ARTIFACTS=.aws-sam/$(HOST_ARCH) $(PY) -m pytest -rs -m e2e tests/e2e

bench: ## build for this machine and measure cold start, CPU per call, AWS calls and the catalog sync
	@$(MAKE) --no-print-directory build ARCH=$(HOST_ARCH)
	@ARTIFACTS=.aws-sam/$(HOST_ARCH) PYTHONPATH=layers/core $(PY) -m tests.bench

# SAM drops what it cannot read: the rest of a value with blanks, and a name without a value.
checked-params: export PARAMETERS = $(value PARAMS)
checked-params:
	@rest="$$(printf ' %s' "$$PARAMETERS" | sed -E "s/ +[A-Za-z0-9]+=(\"[^\"]*\"|'[^']*'|[^ \"']+)//g" | tr -d ' ')"; \
	test -z "$$rest" || { echo "PARAMS: put a value with blanks, and an empty one, in quotes: PARAMS='Name=\"a value\"'. Not read: $$rest" >&2; exit 2; }

# In the environment, PARAMS reaches SAM as it was given: blanks, parentheses and asterisks are not the shell's.
deploy: export PARAMETERS = $(value PARAMS)
deploy: STACK := $(or $(STACK),instant-resources-$(STAGE))
deploy: checked-params build ## build and deploy (STAGE=dev, REGION=us-east-1, STACK=name, PARAMS='RetentionDays=30 RankSchedule="rate(1 hour)"')
	$(SAM) deploy --config-file "$(CURDIR)/samconfig.toml" --config-env $(CONFIG) --region "$(REGION)" \
		--stack-name "$(STACK)" --s3-prefix "$(STACK)" --template-file $(BUILD)/template.yaml \
		--parameter-overrides "Stage=$(STAGE) Architecture=$(ARCH) $$PARAMETERS"

admin-key: setup ## create an API key for a deployed stack and print it once (STACK=name, USER=name, SCOPES=execute,read,manage; without SCOPES it has every scope)
	@test -n "$(STACK)" || { echo "Say for which stack: make admin-key STACK=instant-resources-dev" >&2; exit 2; }
	@AWS_DEFAULT_REGION="$(REGION)" PYTHONPATH=layers/core $(PY) -m instant.entrypoints.access.admin_key $(STACK) $(OPERATOR) $(if $(SCOPES),--scopes="$(SCOPES)")

export-user: setup ## write everything that is stored of a user to a ZIP file (STACK=name, USER=id, TO=user.zip)
	@test -n "$(STACK)" -a -n "$(USER_ID)" -a -n "$(TO)" || { echo "Say whose data, and where to: make export-user STACK=instant-resources-dev USER=user_1 TO=user.zip" >&2; exit 2; }
	@AWS_DEFAULT_REGION="$(REGION)" PYTHONPATH=layers/core $(PY) -m instant.entrypoints.access.export_user $(STACK) --user='$(USER_ID)' --to='$(TO)'

forget-user: setup ## erase everything that is stored of a user (STACK=name, USER=id, SURE=yes; without SURE, print what would be erased)
	@test -n "$(STACK)" -a -n "$(USER_ID)" || { echo "Say whose data: make forget-user STACK=instant-resources-dev USER=user_1" >&2; exit 2; }
	@AWS_DEFAULT_REGION="$(REGION)" PYTHONPATH=layers/core $(PY) -m instant.entrypoints.access.forget_user $(STACK) --user='$(USER_ID)' $(if $(filter yes,$(SURE)),--sure)

smoke: setup ## check a stack in eight steps (STACK=name and OPENROUTER_API_KEY, at most 0.25 USD; without STACK, the local stack)
	@$(if $(STACK),AWS_DEFAULT_REGION="$(REGION)") PYTHONPATH=layers/core $(PY) -m tests.smoke $(STACK)

copy-table: setup ## copy all rows of a recovered table into another (FROM=name, TO=name)
	@test -n "$(FROM)" -a -n "$(TO)" || { echo "Say which tables: make copy-table FROM=name TO=name" >&2; exit 2; }
	@AWS_DEFAULT_REGION="$(REGION)" PYTHONPATH=layers/core $(PY) -m instant.entrypoints.copy_table $(FROM) $(TO)

import-template: setup ## print the template that imports what a deleted stack has left
	@$(PY) -m tests.architecture.import_template

pins: setup ## resolve the pinned requirements again (UPGRADE=--upgrade for newer versions)
	$(PINS) $(UPGRADE) --group dev pyproject.toml -o requirements/dev.txt
	$(PINS) $(UPGRADE) -c requirements/dev.txt pyproject.toml -o layers/dependencies/requirements.txt
	$(PINS) $(UPGRADE) --group pyproject.toml:awslambdaric-3 -o requirements/awslambdaric-3.txt
	$(PINS) $(UPGRADE) --group pyproject.toml:sam -o requirements/sam.txt
	$(PINS) $(UPGRADE) --group pyproject.toml:checkov -o requirements/checkov.txt
	$(PINS) $(UPGRADE) --group pyproject.toml:clients -o requirements/clients.txt

clean: ## remove all generated files and environments
	rm -rf .venv .venv-sam .venv-checkov .venv-clients .npm-clients $(OLD_CLIENT) .uv .aws-sam .*_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each environment is stamped with the checksum of the file it was made from.

$(VENV_READY): $(UV)
	@echo "Installing the development packages into .venv (about 300 MB, once) ..."
	@$(PY) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null || $(UV) venv -q --clear --python 3.13 .venv
	@$(UV) pip sync -q --require-hashes --python $(PY) requirements/dev.txt
	@rm -f .venv/.ready-* && touch $@

# Streams extend AWS's runtime client; the tests run them with the previous major version, too.
$(OLD_CLIENT_READY): $(VENV_READY)
	@rm -rf $(OLD_CLIENT)
	@$(PY) -m uv pip install -q --require-hashes --python $(PY) --target $(OLD_CLIENT) -r requirements/awslambdaric-3.txt
	@touch $@

$(SAM_READY): $(VENV_READY)
	@echo "Installing the SAM CLI into .venv-sam (about 200 MB, once) ..."
	@$(PY) -m uv venv -q --clear --python $(PY) .venv-sam
	@$(PY) -m uv pip sync -q --require-hashes --python .venv-sam/bin/python requirements/sam.txt
	@touch $@

$(CHECKOV_READY): $(VENV_READY)
	@echo "Installing checkov into .venv-checkov (about 300 MB, once) ..."
	@$(PY) -m uv venv -q --clear --python $(PY) .venv-checkov
	@$(PY) -m uv pip sync -q --require-hashes --python .venv-checkov/bin/python requirements/checkov.txt
	@touch $@

$(CLIENTS_READY): $(VENV_READY)
	@echo "Installing the official clients into .venv-clients (about 50 MB, once) ..."
	@$(PY) -m uv venv -q --clear --python $(PY) .venv-clients
	@$(PY) -m uv pip sync -q --require-hashes --python .venv-clients/bin/python requirements/clients.txt
	@touch $@

# A version manager's python3 refuses .python-version when it lacks that one; any other python3 can fetch uv.
# Debian's python3 may come without venv, but then with pip.
$(UV):
	@echo "Fetching uv $(UV_VERSION) ..."
	@mkdir -p .uv && sed -n '/^uv==/,/[^\\]$$/p' requirements/dev.txt > .uv/requirements.txt
	@for python in python3 /usr/bin/python3 /usr/local/bin/python3 python3.13; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null && break; \
	done; \
	{ $$python -m venv $(UV_DIR) && $(UV_DIR)/bin/pip install -q --require-hashes -r .uv/requirements.txt; } || \
	{ rm -rf $(UV_DIR) && $$python -m pip install -q --target $(UV_DIR) --require-hashes -r .uv/requirements.txt; } || \
	{ echo "$$python has neither venv nor pip: install one of them (Debian: apt install python3-venv)." >&2; exit 1; }
