# Needs Python 3.11 or newer with its venv module, git and make. Everything else is set up in .venv by the targets.

PYTHON ?= python3
ARGS ?=
# One more than a small machine has processors: many tests wait for a server or for time to pass.
WORKERS ?= 3

BIN := .venv/bin
SYNC := $(PYTHON) requirements/sync.py

# Bytecode is kept: the servers that the tests start would else compile every module anew, 2 s each.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test browser coverage examples lint format messages lock wheel clean venv

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: ## serve the whole gateway on a simulated upstream; ARGS="--port 8123"
	@$(SYNC) runtime
	@exec $(BIN)/python -m flow2api demo $(ARGS)

test: ## run every test but those of the examples and of the browser; ARGS="tests/unit -k lease"
	@$(SYNC) dev
	@exec $(BIN)/python -m pytest -n $(WORKERS) --ignore=tests/examples --ignore=tests/browser $(ARGS)

browser: ## try the console in Chromium, and leave a picture of every page in dist/pictures
	@$(SYNC) dev
	@exec $(BIN)/python -m pytest -n $(WORKERS) tests/browser $(ARGS)

coverage: ## run the domain's own tests, and fail unless they run every line and branch of it
	@$(SYNC) dev
	@exec $(BIN)/python -m pytest -n $(WORKERS) tests/unit/domain --cov=flow2api.domain --cov-branch \
		--cov-report=term-missing:skip-covered --cov-fail-under=100 $(ARGS)

examples: ## install the packages under examples/ beside the wheel where nothing else is, and run their tests there
	@$(SYNC) dev
	@exec $(BIN)/python -m pytest tests/examples $(ARGS)

lint: ## check format, style, types, the direction of imports, templates and spelling
	@$(SYNC) dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint templates --check --lint --quiet
	$(BIN)/codespell

format: ## rewrite the code as `make lint` wants it, as far as a program can
	@$(SYNC) dev
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/djlint templates --reformat --quiet || true

messages: ## gather the words of the console and carry them into the catalogue of each language
	@$(SYNC) dev
	PYTHONPATH=locale $(BIN)/pybabel -q extract --mapping-file locale/babel.cfg --output-file locale/console.pot \
		--project flow2api --copyright-holder "flow2api contributors" \
		--no-location --sort-output --keyword gettext --keyword ngettext:1,2 --ignore-dirs '.*' .
	$(BIN)/pybabel -q update --domain console --input-file locale/console.pot --output-dir locale --no-fuzzy-matching \
		--ignore-obsolete --ignore-pot-creation-date

lock: ## pin the dependencies anew, to releases at least a week old; ARGS=--upgrade takes newer ones
	@$(SYNC) lock
	$(PIN) pyproject.toml --output-file requirements/runtime.txt
	$(PIN) pyproject.toml --extra testing --group dev --constraints requirements/runtime.txt --output-file requirements/dev.txt
	$(PIN) --group lock --output-file requirements/lock.txt

PIN = $(BIN)/uv pip compile --quiet --no-config --universal --fork-strategy fewest --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --exclude-newer "7 days" \
	--custom-compile-command "make lock" $(ARGS)

wheel: ## build dist/flow2api-*.whl
	@$(SYNC) dev
	$(BIN)/python -m hatchling build --target wheel --directory dist

venv: ## set up .venv with all tools, for editors
	@$(SYNC) dev

clean: ## remove what the other targets made; ./data stays
	rm -rf .venv .venv.lock dist build .coverage .coverage.* htmlcov .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
