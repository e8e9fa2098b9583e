# The README's two commands are `make demo` and `make test`; `make help` lists the rest.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
CONSTRAINTS ?= constraints/latest.txt
RUN := $(VENV)/bin/python -m

.PHONY: help demo test slow torture notebooks map lint clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

$(VENV)/installed: requirements.txt pyproject.toml $(CONSTRAINTS)
	@test -n "$(PYTHON)" || { echo "no Python of 3.11 or later found; name one: make PYTHON=/path/to/python3 …"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --disable-pip-version-check -r requirements.txt -e '.[dev]' -c $(CONSTRAINTS)
	@touch $@

demo: $(VENV)/installed  ## the main job on the drawn sample, into demo/: a few minutes on two cores
	$(RUN) kfashion_utils demo

test: $(VENV)/installed  ## the default suite on two processes, under five minutes
	$(RUN) pytest -n 2 --dist loadfile

slow: $(VENV)/installed  ## the slow suite on two processes, most of an hour: kills, notebooks, every backbone
	$(RUN) pytest -m slow -n 2 --dist loadfile

torture: $(VENV)/installed  ## every storage fault and 210 random kills: about 20 minutes
	KFASHION_TORTURE=1 $(RUN) pytest -m slow -s tests/test_faults.py tests/test_kill.py -k 'storage_call or preparing'

notebooks: $(VENV)/installed  ## execute every notebook and keep its outputs
	$(RUN) notebooks.make

map: $(VENV)/installed  ## draw docs/map.svg anew from the imports
	$(RUN) docs.make_map

lint: $(VENV)/installed  ## ruff
	$(RUN) ruff check . && $(RUN) ruff format --check .

clean:  ## remove the environment and what the demo made
	rm -rf .venv .venv-colab demo
