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
BASE ?=
IMAGE ?= framelane:local
IMAGE_ROOT ?=
STRICT ?=
REPEATS ?=
SEED ?=
HELM := v4.3.1
KUBE_SCORE := v1.20.0

.PHONY: demo test check image image-test wheel wheel-test sbom audit kube-tools kube-test render schemas screenshots bench bench-sweep faults faults-short faults-can-fail soak soak-producers soak-view env bench-env languages lock clean

demo: env
	@$(VENV)/bin/framelane demo $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SOURCE),--source "$(SOURCE)") $(if $(CAMERAS),--cameras $(CAMERAS))

test: env kube-tools
	$(VENV)/bin/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTS)

check: env
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m pytest -q tests/unit/test_layering.py

# The image of all roles, by Docker; BASE= another base than python:3.11-slim-bookworm.
image:
	docker build -f deploy/docker/Dockerfile -t $(IMAGE) $(if $(BASE),--build-arg BASE=$(BASE)) \
	  --build-arg VERSION=$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) \
	  --build-arg REVISION=$$(git rev-parse --short HEAD) --build-arg CREATED=$$(date -u +%Y-%m-%dT%H:%M:%SZ) .

# Builds it with buildah and runs its roles on a real Kafka; as root, on Debian with buildah and debootstrap. Ten minutes.
image-test: env
	$(if $(BASE),FRAMELANE_IMAGE_BASE="$(BASE)") $(VENV)/bin/python -m pytest -rA -o python_files='check_*.py' -o 'pythonpath=tests/support tests/image' tests/image

# What a release ships, in dist/.
wheel: env
	@rm -rf dist
	$(VENV)/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

# The wheel in dist/, or one that is built now, in a new environment outside of this checkout: a minute or two.
wheel-test: env
	FRAMELANE_WHEEL="$(wildcard dist/*.whl)" $(VENV)/bin/python -m pytest tests/integration/test_wheel.py

# What the image holds: build/sbom/. IMAGE_ROOT=DIR: the root folder of an unpacked image, for Debian's packages in it.
sbom: build/supply-chain/.made build/image-env/.made
	build/supply-chain/bin/python deploy/supply-chain/sbom.py --tools build/supply-chain --python build/image-env/bin/python --output build/sbom $(if $(IMAGE_ROOT),--image "$(IMAGE_ROOT)")

# Known vulnerabilities of what the image holds; where nothing could be looked up it says so, and with STRICT=1 fails.
audit: build/supply-chain/.made
	@build/supply-chain/bin/python deploy/supply-chain/audit.py --tools build/supply-chain $(if $(STRICT),--strict) deploy/docker/requirements.lock

build/supply-chain/.made: deploy/supply-chain/tools.txt
	@$(PYTHON) -m venv build/supply-chain
	@build/supply-chain/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

build/image-env/.made: deploy/docker/requirements.lock build/supply-chain/.made
	@$(PYTHON) -m venv --clear --without-pip build/image-env
	@build/supply-chain/bin/pip --python build/image-env/bin/python install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# helm and kube-score, for the chart and its tests; without go their tests are skipped, and say so.
kube-tools:
	@if command -v go >/dev/null; then $(MAKE) --no-print-directory build/bin/helm build/bin/kube-score; \
	else echo 'no go: the tests of the Helm chart are skipped'; fi

build/bin/helm:
	@echo 'building helm (once; some minutes) ...'
	@cd / && GOBIN=$(CURDIR)/build/bin GOFLAGS= go install helm.sh/helm/v4/cmd/helm@$(HELM)

build/bin/kube-score:
	@cd / && GOBIN=$(CURDIR)/build/bin GOFLAGS= go install github.com/zegl/kube-score/cmd/kube-score@$(KUBE_SCORE)

# deploy/kubernetes, from the chart; and the rules and the dashboard into the chart.
render: env build/bin/helm
	$(VENV)/bin/python deploy/render.py --helm build/bin/helm

# Both renderings on a real API server; the first time it is built: seven minutes on two cores.
kube-test: env build/kube/bin/etcd build/kube/bin/kube-apiserver
	PYTHONPATH=tests/kube $(VENV)/bin/python -m pytest tests/kube/kube_manifests.py

build/kube/bin/etcd: tests/kube/etcd/go.mod
	@cd tests/kube/etcd && go build -o $(CURDIR)/$@ go.etcd.io/etcd/server/v3

build/kube/bin/kube-apiserver: tests/kube/apiserver/go.mod
	@cd tests/kube/apiserver && go build -o $(CURDIR)/$@ k8s.io/kubernetes/cmd/kube-apiserver

# docs/asyncapi.yaml and docs/schemas, from the code.
schemas: env
	$(VENV)/bin/python -m framelane.contract_docs docs

# docs/images/view-*.png, from synthetic cameras; Debian's chromium is needed.
screenshots: env
	@PYTHONPATH=tests/support $(VENV)/bin/python tests/support/view_screenshots.py

# Workers, brokers and the network are injured; FAULTS=F1,F9 REPEATS=1 SEED=7 choose. About an hour; results in faults-output/.
faults: env
	@PYTHONPATH=tests/support $(VENV)/bin/python tests/faults/runner.py $(if $(REPEATS),--repeats $(REPEATS)) $(if $(SEED),--seed $(SEED)) $(FAULTS)

# F1, F2, F3 with one broker, F6 cut, F9, F10, F12, F14, F18, each once and shorter: under ten minutes.
faults-short: env
	@PYTHONPATH=tests/support $(VENV)/bin/python tests/faults/runner.py --short $(if $(REPEATS),--repeats $(REPEATS)) $(if $(SEED),--seed $(SEED)) $(FAULTS)

# Each safeguard of a worker is switched off in turn, and must be found out by its fault; with it all must be well. Ten minutes.
faults-can-fail: env
	$(VENV)/bin/python -m pytest -rA -o python_files='check_*.py' tests/faults/check_can_fail.py

# All parts at once for half an hour (MINUTES=), with a random fault every 20 to 60 s (SEED=); results in soak-output/.
soak: env
	@PYTHONPATH=tests/support:tests/faults $(VENV)/bin/python tests/soak/mixed_soak.py $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults "$(FAULTS)")

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

# Of the developers' environment, of what the image holds, and of what builds the wheel in it.
COMPILE := build/lock/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade
lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet 'uv>=0.9,<1'
	$(COMPILE) --extra dev pyproject.toml -o requirements.lock
	$(COMPILE) --extra otel --extra pyav --constraint requirements.lock pyproject.toml -o deploy/docker/requirements.lock
	build/lock/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' | $(COMPILE) --constraint requirements.lock - -o deploy/docker/build.lock

clean:
	rm -rf $(VENV) build dist demo-output bench-output faults-output soak-output .mypy_cache .pytest_cache .ruff_cache .hypothesis
