# Everything happens in .venv, which `make setup` makes: nothing is installed outside the checkout,
# but for a compiled llama.cpp kept in ~/.cache/vlm_vpr_ros. PYTHON=python3.12 chooses the interpreter.

MAKEFLAGS += --no-print-directory
run := tools/in_venv.sh

.PHONY: help setup demo test lint clean

help:
	@echo "make demo                         a robot lost in a simulated world: node, figures, report"
	@echo "make demo MAP=<bag> QUERY=<bag>   the same on drives of your own"
	@echo "make test [ARGS='-k gate']        pytest, then colcon build and test in a scratch workspace"
	@echo "make lint                         ruff, mypy"
	@echo "make setup                        only the set-up that each of these does first (.venv)"
	@echo "make clean                        remove what these leave behind; 'rm -rf .venv' for the rest"

setup:
	@tools/setup_venv.sh

# MAP and QUERY reach the script through the environment. Whoever mistyped one hears it before the
# set-up's long steps, not after.
demo:
	@tools/demo.sh --check
	@tools/setup_venv.sh
	@$(run) tools/demo.sh

test: setup
	$(run) python -m pytest $(ARGS)
	$(run) tools/test_colcon.sh

lint: setup
	$(run) ruff check .
	$(run) ruff format --check .
	$(run) mypy

clean:
	rm -rf demo_output build install log .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
