"""The databases of the settings: DATABASE_URL, and REPLICA_URL beside the mail servers of a node."""

import re
from pathlib import Path

from sendlayer.environment import env, refuse
from web import private_files

# libpq's minimum. A first server that doesn't answer may cost no page its connection: the pool waits for 5 s.
CONNECT_SECONDS = 2
# Without these a connection to a machine that is gone waits for a quarter of an hour. In seconds, the first one
# in milliseconds. Not less: a server that is too busy to read what a restore sends would be given up as well.
NOTICE_DEAD_SERVERS = {
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 1,
    "keepalives_count": 5,
}
# A pool that waits longer and longer between its tries would miss a failover for minutes: after so many seconds
# it gives up, and the next page tries at once.
POOL = {"min_size": 1, "max_size": 8, "timeout": 5, "reconnect_timeout": 2}

# IMMEDIATE takes the write lock at BEGIN, where `timeout` waits for it: a deferred transaction that starts to
# write half-way fails immediately with "database is locked".
# synchronous=FULL: an acknowledged Delete must not come back after a power cut.
# secure_delete overwrites deleted rows with zeros; not every build of SQLite does so by default. The WAL keeps
# older versions of a page until it is checkpointed and overwritten.
SQLITE = {
    "OPTIONS": {
        "factory": private_files.Connection,
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
    },
    "CONN_MAX_AGE": 600,
}

# A name, an IPv4 address, or an IPv6 address in brackets (RFC 3986 section 3.2.2), and a port.
_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[\w.-]{1,253})(?::([0-9]{1,5}))?")
MAX_SERVERS = 16


def primary(name: str, url: str) -> dict:
    """Return Django's settings of the database that is written to. Names `name` if the URL can't be used."""
    config = _parse(name, url)
    if config["ENGINE"].endswith("postgresql"):
        options = config.setdefault("OPTIONS", {})
        if "," in config["HOST"]:
            options |= {"connect_timeout": CONNECT_SECONDS} | NOTICE_DEAD_SERVERS | options
        # The pool keeps connections; CONN_MAX_AGE must then stay 0.
        options["pool"] = POOL
        config["CONN_HEALTH_CHECKS"] = True
    else:
        config |= SQLITE
    return config


def sqlite(path: Path) -> dict:
    """Return Django's settings of a file: by its path, not by a URL, in which # and ? would end it."""
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)} | SQLITE


def replica(name: str, url: str) -> dict:
    """Return Django's settings of a hot standby: read only, and an ill one is soon given up."""
    config = _parse(name, url)
    if not config["ENGINE"].endswith("postgresql"):
        return config  # sendlayer.E080
    options = config.setdefault("OPTIONS", {})
    given = str(options.get("options", ""))
    options["options"] = f"{given} -c default_transaction_read_only=on -c statement_timeout=2s".strip()
    options |= {"connect_timeout": CONNECT_SECONDS} | NOTICE_DEAD_SERVERS | options
    return config | {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}


def _parse(name: str, url: str) -> dict:
    """Parse a URL, of several servers too: postgres://user:password@a:5432,[::1]:5432/name."""
    scheme, mark, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    login, at, servers = authority.rpartition("@")
    if "," not in servers or not scheme.strip().startswith(("postgres", "pgsql", "psql")):
        return env.db(name, url)
    found = [_SERVER.fullmatch(server) for server in servers.split(",", MAX_SERVERS)]
    if not all(found):
        hint = "Write them as host:5432,host:5432, IPv6 addresses in brackets."
        return refuse(name, "has a list of servers that can't be read.", hint)
    # django-environ keeps the brackets, and gives the port of one server to all that have none.
    config = env.db(name, f"{scheme}{mark}{login}{at}several{slash}{path}")
    hosts, ports = zip(*(match.groups("5432") for match in found), strict=True)
    return config | {"HOST": ",".join(host.strip("[]") for host in hosts), "PORT": ",".join(ports)}
