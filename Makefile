# Runs on a plain Debian or Ubuntu with Python 3.11 or newer and make; `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup demo test screenshots lint bench phrases clean

# No module or tool of another environment may leak in. And the tests start some hundred processes: without
# byte code kept from one to the next, each would compile every import for four seconds.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

bin := .venv/bin
# One more than there are processors, as tests wait for servers and processes of their own; eight at most.
test_workers := $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 8 ? n + 1 : 8)))
mail_tools := tools/mail

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## make the environment in .venv, with the command .venv/bin/digest
	@tools/setup.sh

demo: setup ## gather a sample newsroom, compose an issue, mail it to a built-in catcher
	@$(bin)/digest demo $(ARGS)

test: setup ## run every test, after installing what they need; ARGS='-k words' selects
	@tools/test-servers.sh
	$(bin)/pytest -n $(test_workers) --dist worksteal $(ARGS)

screenshots: setup ## put pictures of every page into build/screenshots: light, dark and on a phone
	@tools/test-servers.sh
	$(bin)/pytest -n $(test_workers) --dist worksteal -q tests/journeys/test_pictures.py

lint: setup ## check style, types, layers, dependencies, shell scripts, deployment files and mail templates
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports
	$(bin)/deptry .
	$(bin)/shellcheck tools/*.sh .ci/run
	$(bin)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(bin)/hadolint Dockerfile
	@tools/mail-tools.sh
	$(mail_tools)/node_modules/.bin/node $(mail_tools)/lint.mjs templates/email/*/body.mjml

benchmarks := render compilers address deliver first_mail feeds fetching gather stories grounding topics web signup

bench: setup ## run the benchmarks at their default sizes; ARGS='--json' for programs
	@for name in $(benchmarks); do \
		echo "== $$name"; \
		$(bin)/python -m "benchmarks.$$name" $(ARGS) || exit 1; \
	done

phrases: setup ## put the phrases of all mails and pages into their catalogues; ARGS=it adds a language
	$(bin)/python tools/phrases.py $(ARGS)

clean: ## remove the environment, caches and the demo's output
	rm -rf .venv .bootstrap .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		demo-output test-output build dist $(mail_tools)/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
