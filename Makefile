# `make run` starts SendLayer, `make test` tests it; both install what they need.
# Set PORT, SMTP_PORT, SMTP_TLS_PORT, DEMO_PASSWORD, VAR_DIR or any setting of .env.example on the command line:
#   make run PORT=8080 SMTP_PORT=2525

PYTHON3 ?= python3
VENV := .venv
BIN := $(VENV)/bin
VAR_DIR ?= var
export VAR_DIR
# Tests start hundreds of processes; without bytecode on disk, each compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE

RUN_INSTALLED := $(VENV)/requirements.stamp
DEV_INSTALLED := $(VENV)/requirements-dev.stamp
STATIC_COLLECTED := $(VAR_DIR)/static/staticfiles.json

# What `make test` runs in parallel: first what mostly waits, then what computes, each the longest first.
TESTS := test-sqlite-servers test-browser test-postgresql test-mail-postgresql test-mail-sqlite \
	test-postgresql-servers test-sqlite-input test-sqlite test-postgresql-input

.PHONY: help run test $(TESTS) test-fast test-faults test-input test-clients test-monitoring lint bench bench-scale bench-mail bench-attacks image sbom screenshots browser smtp-client postgresql redis load-generator
.PHONY: prometheus mail-servers mail-clients dns-server proxies shell-checker debian-machine network test-debian test-image walk-through test-cluster
.DELETE_ON_ERROR:
.DEFAULT_GOAL := run

help:  ## List these targets
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

# exec, so that a SIGTERM from make reaches the servers.
run: $(STATIC_COLLECTED)  ## Start the dashboard and the SMTP listener
	@exec $(BIN)/python -m sendlayer.start

# In parallel, since they mostly wait; each prints its output in one piece, and a failure stops no other.
test: browser smtp-client postgresql redis mail-servers mail-clients dns-server proxies shell-checker  ## Run every test, on SQLite and PostgreSQL, with browser and mail servers
	@$(MAKE) --no-print-directory --jobs=6 --output-sync=target --keep-going $(TESTS) lint

ON_POSTGRESQL := $(BIN)/python tests/with_postgres.py

# In three parts each, since a process of pytest uses one core. Tests of pages and input compute all the time,
# so they run at lower priority than browsers and servers, which wait for one another.
SERVERS := tests/submission tests/sendlayer tests/faults
INPUT := tests/input tests/routes tests/backup
PAGES := $(patsubst %,--ignore=%,$(SERVERS) $(INPUT))
LOW_PRIORITY := nice -n 5

# In memory, if it has room (a container's may have 64 MB): each commit would wait for the disk.
MEMORY := $(shell [ -w /dev/shm ] && ! grep -q ' /dev/shm .*noexec' /proc/mounts && \
	[ "$$(df -k --output=avail /dev/shm | tail -n 1)" -gt 2000000 ] && echo /dev/shm)
ifneq ($(MEMORY),)
$(TESTS) test-fast: export TMPDIR := $(MEMORY)
endif

test-sqlite-servers: $(DEV_INSTALLED)
	TEST_PORTS=11000-13000 $(BIN)/python -m pytest -m "not e2e and not mail" $(SERVERS)

test-sqlite: $(DEV_INSTALLED)
	TEST_PORTS=13000-14000 $(LOW_PRIORITY) $(BIN)/python -m pytest -m "not e2e and not mail" $(PAGES)

test-sqlite-input: $(DEV_INSTALLED)
	TEST_PORTS=14000-15000 $(LOW_PRIORITY) $(BIN)/python -m pytest -m "not e2e and not mail" $(INPUT)

test-postgresql-servers: $(DEV_INSTALLED)
	TEST_PORTS=15000-17000 $(ON_POSTGRESQL) $(BIN)/python -m pytest -m "not e2e and not mail and not one_database" $(SERVERS)

test-postgresql: $(DEV_INSTALLED)
	TEST_PORTS=17000-18000 $(LOW_PRIORITY) $(ON_POSTGRESQL) $(BIN)/python -m pytest -m "not e2e and not mail and not one_database" $(PAGES)

test-postgresql-input: $(DEV_INSTALLED)
	TEST_PORTS=18000-19000 $(LOW_PRIORITY) $(ON_POSTGRESQL) $(BIN)/python -m pytest -m "not e2e and not mail and not one_database" $(INPUT)

test-browser: $(DEV_INSTALLED)
	TEST_PORTS=19000-23000 $(BIN)/python -m pytest tests/e2e -m e2e

test-mail-sqlite: $(DEV_INSTALLED)
	TEST_PORTS=23000-27000 $(BIN)/python -m pytest tests/mail -m mail

test-mail-postgresql: $(DEV_INSTALLED)
	TEST_PORTS=27000-31000 $(ON_POSTGRESQL) $(BIN)/python -m pytest tests/mail -m mail

# The faults of `make test` for longer: hundreds of kills. Each prints its figures.
test-faults: $(DEV_INSTALLED) postgresql  ## Kill, restart and fill up for longer than `test` does
	FAULT_FACTOR=10 TEST_PORTS=31000-32000 $(BIN)/python -m pytest tests/faults
	FAULT_FACTOR=10 TEST_PORTS=31000-32000 $(ON_POSTGRESQL) $(BIN)/python -m pytest tests/faults -m "not one_database"

# The random input of `make test` for longer and different each time; a failure is reduced to its smallest example.
test-input: $(DEV_INSTALLED) postgresql  ## Generate more random input than `test` does
	INPUT_FACTOR=20 TEST_PORTS=31000-32000 $(BIN)/python -m pytest tests/input
	INPUT_FACTOR=20 TEST_PORTS=31000-32000 $(ON_POSTGRESQL) $(BIN)/python -m pytest tests/input -m "not one_database"

# As root, with 1.5 GB in CLIENTS_DIR: programs are installed there, in layers above this machine's files. Delete it
# after an upgrade of the machine.
CLIENTS_DIR ?= /var/tmp/sendlayer-clients
test-clients: $(DEV_INSTALLED) mail-servers mail-clients  ## Send with some 40 programs and write docs/clients.md (root)
	CLIENTS_DIR=$(CLIENTS_DIR) CLIENTS_TABLE=docs/clients.md TEST_PORTS=31000-32000 $(BIN)/python -m pytest tests/mail/all_clients.py -m mail -q

# Prometheus is 100 MB on the disk, for its promtool.
test-monitoring: $(DEV_INSTALLED) prometheus  ## Test the alerts, the dashboard and /metrics with promtool
	$(BIN)/python -m pytest tests/sendlayer/all_monitoring.py -q

test-fast: $(DEV_INSTALLED) smtp-client mail-clients dns-server proxies shell-checker redis postgresql  ## Run the tests without browser, Postfix and PostgreSQL
	$(BIN)/python -m pytest -m "not e2e and not mail"

lint: $(DEV_INSTALLED)  ## Check style, floors and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

# As root, each in a Debian of its own: debootstrap makes one, systemd-nspawn runs it. Only DEBIAN_ROOTS stays.
RELEASE ?= trixie
DATABASE ?= pgsql
export DEBIAN_ROOTS ?= /var/tmp/sendlayer-debian

test-debian: debian-machine  ## Run `make run` and the mail tests in another Debian: RELEASE=bookworm or trixie (root)
	@$(PYTHON3) -m tests.debian.checkout $(RELEASE) $(TARGETS)

walk-through: debian-machine  ## Do what deploy/README.md says in a Debian: RELEASE=…, DATABASE=pgsql or sqlite (root)
	@$(PYTHON3) -m tests.debian.walkthrough $(RELEASE) $(DATABASE) $(OPTIONS)

# As root, some 10 minutes: three hosts in network namespaces. CLUSTER_FACTOR=10 deletes 1,000 SMTP users.
test-cluster: $(DEV_INSTALLED) debian-machine network  ## Do what deploy/cluster says, cut a node off, lose the primary (root)
	@$(BIN)/python -m tests.cluster $(OPTIONS)

bench: $(DEV_INSTALLED) load-generator  ## Measure pages, first load and the listener
	$(BIN)/python -m bench

# Some minutes, and 5 GB in the folder for temporary files.
bench-scale: $(DEV_INSTALLED) postgresql  ## Measure pages and the admin with a million SMTP users
	$(BIN)/python -m bench.scale

# Attacks and time are bounded.
bench-attacks: $(DEV_INSTALLED)  ## Measure how long a visitor waits while eight users attack
	$(BIN)/python -m bench.attacks

# As root: it starts Postfix.
bench-mail: $(DEV_INSTALLED) postgresql mail-servers  ## Measure logins at Postfix and Dovecot (root)
	$(BIN)/python -m bench.mail

# With podman or docker. HEALTHCHECK is part of Docker's format only. BASE=… names another Debian 13, BUILD_OPTIONS=…
# more options, like --no-cache.
ENGINE ?= $(shell command -v podman || echo docker)
IMAGE_OPTIONS = $(if $(findstring podman,$(ENGINE)),--format docker) $(if $(BASE),--build-arg BASE=$(BASE)) \
	--build-arg VERSION=$(VERSION) --build-arg REVISION=$(shell git rev-parse HEAD) $(BUILD_OPTIONS)
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' sendlayer/__init__.py)

image:  ## Build the container images sendlayer and sendlayer-mail
	$(ENGINE) build $(IMAGE_OPTIONS) -t sendlayer:$(VERSION) -t sendlayer:latest .
	$(ENGINE) build $(IMAGE_OPTIONS) -f deploy/container/Containerfile.mail -t sendlayer-mail:$(VERSION) -t sendlayer-mail:latest deploy

SYFT := $(VENV)/syft/bin/syft
$(SYFT): deploy/container/requirements-sbom.txt
	$(PYTHON3) -m venv $(VENV)/syft
	$(VENV)/syft/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<

sbom: $(SYFT)  ## List the software in both images, as CycloneDX JSON in VAR_DIR
	@mkdir -p $(VAR_DIR)
	for image in sendlayer sendlayer-mail; do \
	    $(ENGINE) save --quiet --output $(VAR_DIR)/$$image.tar $$image:latest && \
	    SYFT_CHECK_FOR_APP_UPDATE=false $(SYFT) scan --quiet docker-archive:$(VAR_DIR)/$$image.tar \
	        --source-name $$image --source-version $(VERSION) --output cyclonedx-json=$(VAR_DIR)/$$image.cdx.json && \
	    rm $(VAR_DIR)/$$image.tar || exit; \
	done

test-image: debian-machine $(DEV_INSTALLED) browser  ## Build both images in a Debian, and run what docs/container.md says (root)
	TEST_PORTS=31000-32000 $(BIN)/python -m pytest tests/image/embedded.py tests/image/relay.py -s

screenshots: $(DEV_INSTALLED) browser  ## Take the pictures of README again
	$(BIN)/python -m docs.screenshots

# --- prerequisites ------------------------------------------------------------

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -qq

# $(call apt-install,PACKAGE): install it, or stop and name it.
define apt-install
{ echo "Installing $(1) with apt-get …"; \
  $(APT) install -y $(1) >/dev/null 2>&1 || { $(APT) update && $(APT) install -y $(1) >/dev/null; } || \
  { echo "$(1) is missing and can't be installed. Install it (apt-get install $(1)), then run make again." >&2; \
    exit 1; }; }
endef

browser:
	@command -v chromium >/dev/null || $(call apt-install,chromium)
# The variant without windows needs a third less CPU; without it, Chromium is used.
	@command -v chromium-headless-shell >/dev/null || $(APT) install -y chromium-headless-shell >/dev/null 2>&1 || true

smtp-client:
	@command -v swaks >/dev/null || $(call apt-install,swaks)
	@perl -MNet::SSLeay -e 1 2>/dev/null || $(call apt-install,libnet-ssleay-perl)

load-generator:
	@command -v wrk >/dev/null || $(call apt-install,wrk)

postgresql:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
	$(call apt-install,postgresql)

# $(call apt-install-servers,PACKAGES): the same without starting them (policy-rc.d answers 101), since
# tests run their own instances. A server that is already running is left alone.
define apt-install-servers
dpkg-query -W -f='$${db:Status-Status}\n' $(1) 2>&1 | grep -qvx installed || exit 0; \
policy=/usr/sbin/policy-rc.d; \
[ -e $$policy ] || { printf '#!/bin/sh\nexit 101\n' | $(SUDO) tee $$policy >/dev/null && \
  $(SUDO) chmod +x $$policy && trap "$(SUDO) rm -f $$policy" EXIT; }; \
$(call apt-install,$(1))
endef

MAIL_SERVERS := postfix postfix-pgsql postfix-sqlite dovecot-core dovecot-pgsql dovecot-sqlite opendkim
mail-servers:
	@$(call apt-install-servers,$(MAIL_SERVERS))

dns-server:
	@$(call apt-install-servers,nsd)

proxies:
	@$(call apt-install-servers,nginx-light caddy)

shell-checker:
	@command -v shellcheck >/dev/null || $(call apt-install,shellcheck)

debian-machine:
	@command -v debootstrap >/dev/null || $(call apt-install,debootstrap)
	@command -v systemd-nspawn >/dev/null || $(call apt-install,--no-install-recommends systemd-container)
	@command -v slirp4netns >/dev/null || $(call apt-install,slirp4netns)

network:
	@command -v ip >/dev/null || $(call apt-install,iproute2)
	@command -v nft >/dev/null || $(call apt-install,nftables)

redis:
	@$(call apt-install-servers,redis-server)

prometheus:
	@$(call apt-install-servers,prometheus)

mail-clients:
	@command -v curl >/dev/null || $(call apt-install,curl)
	@command -v msmtp >/dev/null || $(call apt-install,msmtp)
	@command -v node >/dev/null || $(call apt-install,nodejs)
	@[ -d /usr/share/nodejs/nodemailer ] || $(call apt-install,node-nodemailer)
	@command -v php >/dev/null || $(call apt-install,php-cli)
	@[ -d /usr/share/php/libphp-phpmailer ] || $(call apt-install,libphp-phpmailer)
	@[ -f /usr/lib/ruby/vendor_ruby/mail.rb ] || $(call apt-install,ruby-mail)
	@command -v sendemail >/dev/null || $(call apt-install,sendemail)
	@perl -MMIME::Lite -e 1 2>/dev/null || $(call apt-install,libmime-lite-perl)
	@perl -MAuthen::SASL -MIO::Socket::SSL -e 1 2>/dev/null || $(call apt-install,libauthen-sasl-perl libio-socket-ssl-perl)
	@ls /usr/lib/*/sasl2/libplain.so >/dev/null 2>&1 || $(call apt-install,libsasl2-modules)

# Debian has ensurepip, which installs pip into a virtual environment, in a separate package.
$(BIN)/pip:
	@command -v $(PYTHON3) >/dev/null || $(call apt-install,python3)
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "$(PYTHON3) is not Python 3.11 or newer. Name another one: make PYTHON3=…" >&2; exit 1; }
	@$(PYTHON3) -c 'import ensurepip; ensurepip.version()' 2>/dev/null || $(call apt-install,python3-venv)
	@echo "Making the virtual environment $(VENV) …"
	@$(PYTHON3) -m venv --clear $(VENV)

$(RUN_INSTALLED): requirements.txt | $(BIN)/pip
	@echo "Installing $< …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(DEV_INSTALLED): requirements-dev.txt | $(BIN)/pip
	@echo "Installing $< …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# The manifest, which collectstatic writes last.
$(STATIC_COLLECTED): $(RUN_INSTALLED) $(shell find static -type f)
	@$(BIN)/python -m sendlayer.firstrun
	@$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@touch $@
