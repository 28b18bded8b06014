# One command each. Nothing but Python 3.11+ and make is needed beforehand.
#
#   make demo     the whole product on simulated providers; Ctrl-C stops it, ONCE=1 runs it through and ends
#   make test     every test on real PostgreSQL, pages in a real browser, 200 seeds of faults
#   make prove    10,000 seeds of faults (SEEDS=n for another number)
#   make bench    the read path and the delivery path against a plain loop
#   make lint     style and format;  make types: mypy

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
SEEDS ?= 10000
PROCESSES ?= 3
UV := uv==0.13.9
BIN := .venv/bin
BROWSER := $(firstword $(foreach name,chromium google-chrome chromium-browser,$(shell command -v $(name) 2>/dev/null)))

.PHONY: demo test bench prove lint types venv dev browser pins

demo: venv
	$(BIN)/python manage.py demo $(if $(ONCE),--once)

test: dev browser
	$(BIN)/python -m pytest -n $(PROCESSES)
	$(BIN)/python manage.py simulate_faults --seeds 200

prove: venv
	$(BIN)/python manage.py simulate_faults --seeds $(SEEDS)

bench: venv
	$(BIN)/python manage.py bench

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: dev
	$(BIN)/python -m mypy .

venv: .venv/runtime.stamp
dev: .venv/development.stamp

# Every start of Python is two seconds slower without bytecode, hence --compile-bytecode and --compile.
.venv/runtime.stamp: requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed. Say where it is: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@$(BIN)/uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV) || echo "no uv for this machine, using pip"
	@echo "installing requirements.txt"
	@$(call install,requirements.txt)
	@touch $@

.venv/development.stamp: requirements-dev.txt .venv/runtime.stamp
	@echo "installing requirements-dev.txt"
	@$(call install,requirements-dev.txt)
	@touch $@

# uv takes seconds where pip takes minutes; pip does it where there is no uv or where uv cannot reach what pip can.
install = { test -x $(BIN)/uv && UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install --quiet --system-certs \
		--python $(BIN)/python --require-hashes --compile-bytecode -r $(1); } \
	|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --compile -r $(1)

browser:
ifeq ($(BROWSER),)
	@if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; \
	then echo "installing chromium for the tests of pages"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else echo "The tests of pages need a browser: install chromium or google-chrome, then run make test again." >&2; exit 1; fi
endif

# Newer pins: edit the .in files, then run this.
pins: .venv/runtime.stamp
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements-dev.in -o requirements-dev.txt
