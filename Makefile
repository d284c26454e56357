# What anyone types: make demo, make test, make check, make bench, make faults. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
SECONDS ?=
SOURCE ?=
CAMERAS ?=
TESTS ?= tests
# Test files that run at once, each with a Kafka of its own.
JOBS ?= 2
FAULTS ?=
BENCH ?=
ROUNDS ?=
VIDEO ?=
MINUTES ?=
AWAY ?=

.PHONY: demo test check schemas screenshots bench bench-sweep faults faults-short soak-producers soak-view env bench-env languages lock clean

demo: env
	@$(VENV)/bin/framelane demo $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SOURCE),--source "$(SOURCE)") $(if $(CAMERAS),--cameras $(CAMERAS))

test: env
	$(VENV)/bin/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTS)

check: env
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m pytest -q tests/unit/test_layering.py

# docs/asyncapi.yaml and docs/schemas, from the code.
schemas: env
	$(VENV)/bin/python -m framelane.contract_docs docs

# docs/images/view-*.png, from synthetic cameras; Debian's chromium is needed.
screenshots: env
	@PYTHONPATH=tests/support $(VENV)/bin/python tests/support/view_screenshots.py

# Real workers are killed, restarted, paused and fed with poison; FAULTS="F1 F5" runs these. About ten minutes.
faults: env
	@PYTHONPATH=tests/support $(VENV)/bin/python tests/faults/runner.py $(FAULTS)

# Each fault once, with fewer kills and frames.
faults-short: env
	@PYTHONPATH=tests/support $(VENV)/bin/python tests/faults/runner.py --short $(FAULTS)

# Sixteen cameras in one process for ten minutes (MINUTES=), two of them (AWAY=) without the broker: memory, threads.
soak-producers: env
	@PYTHONPATH=tests/support $(VENV)/bin/python tests/soak/producers_soak.py $(if $(MINUTES),--minutes $(MINUTES)) $(if $(AWAY),--away $(AWAY))

# Twenty clients that watch sixteen cameras for ten minutes: what the live view's memory does. MINUTES=1.5 at least.
soak-view: env
	@PYTHONPATH=tests/support $(VENV)/bin/python tests/soak/view_soak.py $(if $(MINUTES),--minutes $(MINUTES))

# BENCH=throughput for one of them; VIDEO=file for its frames. Results go to bench-output/.
bench: env bench-env
	$(VENV)/bin/python -m benchmarks $(BENCH) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(VIDEO),--video "$(VIDEO)") $(if $(MINUTES),--minutes $(MINUTES))

# How the hand-written loop that we are measured against is tuned.
bench-sweep: env
	$(VENV)/bin/python -m benchmarks sweep $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(VIDEO),--video "$(VIDEO)")

env: $(VENV)/.made

# Quix Streams wants another confluent-kafka than we do, so it has an environment of its own.
bench-env: build/quix/.made

build/quix/.made: benchmarks/quix-requirements.txt
	@$(PYTHON) -m venv build/quix
	@build/quix/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# Installed again whenever the lock file or the project's own metadata has changed.
$(VENV)/.made: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Framelane needs Python 3.11 to 3.13: make env PYTHON=python3.12")'
	@echo 'making the environment in $(VENV) (once; about a minute) ...'
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

# The README's table of other languages, from what their samples show.
languages: env
	FRAMELANE_WRITE_LANGUAGES=1 $(VENV)/bin/python -m pytest tests/integration/test_other_languages.py

lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet 'uv>=0.9,<1'
	build/lock/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade --extra dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) build dist demo-output bench-output .mypy_cache .pytest_cache .ruff_cache .hypothesis
