# Two commands from a fresh clone: `make demo` and `make test`. The rest is for working on opsbot.

PORT ?= 8000
PYTHON ?= python3
BIN := .venv/bin
unexport PYTHONDONTWRITEBYTECODE  # without bytecode every start compiles our own source again

.PHONY: demo test quick check bench clean

demo: .venv/base  ## set everything up, load the sample shop, serve it on http://127.0.0.1:$(PORT)
	@$(BIN)/opsbot demo --port $(PORT)

test: .venv/test  ## set everything up, run all the tests
	@bash scripts/prepare_tests.sh
	@$(BIN)/python -m pytest -q -n 2

quick: .venv/test  ## the usual tests: all but the slow ones and those in a browser
	@$(BIN)/python -m pytest -q -n 2 -m "not slow and not browser"

check: .venv/test  ## lint, types, layers, fresh assets and documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@bash scripts/check_fresh.sh

bench: .venv/test  ## the figures we claim
	@$(BIN)/python benchmarks/turns.py

clean:  ## remove the environment and the sample shop's data
	rm -rf .venv data dist

.venv/base: pyproject.toml constraints.txt
	@bash scripts/set_up.sh "$(PYTHON)" base

.venv/test: pyproject.toml constraints.txt
	@bash scripts/set_up.sh "$(PYTHON)" test
