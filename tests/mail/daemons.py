"""Real Postfix and Dovecot under the configuration of deploy/, each instance in a folder of its own.

Never the system's own instances: other folders, other sockets, free loopback ports. Postfix's
master starts as root only.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import ROOT, free_port

DEPLOY = ROOT / "deploy"
START_SECONDS = 60
STOP_SECONDS = 10
PROGRAMS = {"dovecot": "dovecot-core", "postfix": "postfix", "openssl": "openssl"}
POSTFIX_MODULES = {"pgsql": "postfix-pgsql", "sqlite": "postfix-sqlite"}
DOVECOT_MODULES = {"pgsql": "dovecot-pgsql", "sqlite": "dovecot-sqlite"}


@dataclass(frozen=True)
class Database:
    """Where the views are: `kind` as Dovecot and Postfix name it, and what deploy/ says → what it must."""

    kind: str
    settings: dict[str, str]

    @property
    def postfix_map(self) -> str:
        return {"pgsql": "proxy:pgsql", "sqlite": "sqlite"}[self.kind]

    @classmethod
    def sqlite(cls, path):
        return cls("sqlite", {"/var/lib/sendlayer/database/db.sqlite3": str(path)})

    @classmethod
    def postgresql(cls, folder, port, name, password):
        """`folder` is where the server's socket lies."""
        changes = {
            "inet:127.0.0.1:5432": f"inet:127.0.0.1:{port}",
            "host=/var/run/postgresql port=5432": f"host={folder} port={port}",
            "pgsql /var/run/postgresql {": f"pgsql {folder} {{",
            "port = 5432": f"port = {port}",
            "dbname=sendlayer": f"dbname={name}",
            "dbname = sendlayer": f"dbname = {name}",
            "CHANGE-ME": password,
        }
        return cls("pgsql", changes)


@dataclass(frozen=True)
class MailServer:
    """A running pair. `tls_port` has TLS from the start, `auth_socket` is Dovecot's, `log` has both's lines."""

    port: int
    tls_port: int
    folder: Path
    auth_socket: Path
    certificate: Path

    @property
    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))


@contextmanager
def mail_server(
    database: Database, *, relayhost="", reports=None, milters="", passdb="", postfix="", dovecot=""
):
    """Run Dovecot and Postfix until the block ends; yield a MailServer.

    `reports` is where they report to (tests.mail.reports.Reporting), `milters` what judges messages, like
    "inet:127.0.0.1:2582", by default nothing; `passdb` stands instead of Dovecot's
    passdb blocks, in the syntax of dovecot_version(); `postfix` and `dovecot` are lines added to their
    main files. Raises RuntimeError with the logs when one does not start.
    """
    _require(database.kind)
    folder = Path(tempfile.mkdtemp(prefix="sendlayer-mail-"))
    folder.chmod(0o755)
    try:
        with ExitStack() as stack:
            spool = folder / "spool"
            (spool / "private").mkdir(parents=True)
            shutil.chown(spool / "private", "postfix")
            stack.enter_context(_dovecot(folder, database, reports, passdb, dovecot))
            auth_socket = spool / "private" / "sendlayer-auth"
            server = MailServer(free_port(), free_port(), folder, auth_socket, _certificate(folder))
            stack.enter_context(_postfix(server, database, relayhost, reports, milters, postfix))
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def dovecot_version() -> str:
    """The installed release, as deploy/dovecot/ names its folders: "2.3" or "2.4"."""
    said = subprocess.run(["dovecot", "--version"], check=True, capture_output=True, text=True).stdout
    return ".".join(said.split(".")[:2])


@contextmanager
def _dovecot(folder, database, reports, passdb, more):
    etc, source = folder / "dovecot", DEPLOY / "dovecot"
    own_source = source / dovecot_version()
    _copy(own_source / "dovecot.conf", etc, folder)
    _copy(source / "sendlayer-auth.conf", etc, folder)
    if passdb:
        _replace_passdbs(etc / "dovecot.conf", passdb)
    for path in own_source.glob("*.sh"):
        _copy(path, etc, folder, mode=0o755)
    for path in (own_source / database.kind).iterdir():
        _copy(path, etc, folder, database.settings, mode=0o600)
    if reports:
        changes = {
            "127.0.0.1:2580": f"127.0.0.1:{reports.port}",
            "CHANGE-ME": reports.secret,
            "CHANGE-NONCE": reports.nonce,
        }
        _copy(source / "sendlayer-reports.conf", etc, folder, changes, mode=0o600)
    own = f"base_dir = {folder}/run\nstate_dir = {folder}/run\nlog_path = {folder}/dovecot.log\n"
    # Tests refuse thousands of logins: no waiting, which Dovecot's clients could not tell apart anyway.
    _append(etc / "dovecot.conf", own + "auth_failure_delay = 0\n" + more)
    with running(["dovecot", "-F", "-c", etc / "dovecot.conf"], folder / "dovecot.out") as process:
        wait(lambda: (folder / "spool/private/sendlayer-auth").is_socket(), process, folder)
        yield


def _replace_passdbs(path, passdb):
    """Put `passdb` in the place of the blocks (2.3) or of the file that holds them (2.4)."""
    blocks = r"^(passdb \{.*?^\}|!include \S+/sendlayer-passdb\.conf)\n"
    path.write_text(re.sub(blocks, "", path.read_text(), flags=re.M | re.S) + passdb)


@contextmanager
def _postfix(server, database, relayhost, reports, milters, more):
    folder, etc = server.folder, server.folder / "postfix"
    messages = {"127.0.0.1:2581": f"127.0.0.1:{reports.messages_port}"} if reports else {}
    _copy(DEPLOY / "postfix" / "main.cf", etc, folder, messages)
    listen = {"submission ": server.port, "submissions ": server.tls_port}
    listen = {f"\n{service}": f"\n127.0.0.1:{port} " for service, port in listen.items()}
    _copy(DEPLOY / "postfix" / "master.cf", etc, folder, listen)
    _copy(
        DEPLOY / "postfix" / database.kind / "sendlayer-sender.cf", etc, folder, database.settings, mode=0o640
    )
    shutil.chown(etc / "sendlayer-sender.cf", group="postfix")
    (folder / "data").mkdir()
    shutil.chown(folder / "data", "postfix")
    own = {
        "queue_directory": folder / "spool",
        "data_directory": folder / "data",
        "maillog_file": folder / "postfix.log",
        "maillog_file_prefixes": folder,
        "inet_interfaces": "127.0.0.1",
        "myhostname": "smtp.sendlayer.test",
        "smtpd_tls_chain_files": folder / "tls.pem",
        "sendlayer_database": database.postfix_map,
        "relayhost": relayhost,
        "smtpd_milters": milters,
        # Tests log in thousands of times from one address.
        "smtpd_client_connection_count_limit": 0,
        "smtpd_client_connection_rate_limit": 0,
        "smtpd_client_auth_rate_limit": 0,
        "smtpd_client_message_rate_limit": 0,
    }
    lines = "".join(f"{name} = {value}\n" for name, value in own.items())
    # Without what it replaces, since Postfix warns of a parameter that is set twice.
    text = "\n".join(
        line for line in (etc / "main.cf").read_text().split("\n") if line.split(" =")[0] not in own
    )
    (etc / "main.cf").write_text(text + "\n" + lines + more)
    with running(["postfix", "-c", etc, "start-fg"], folder / "postfix.out") as process:
        wait(lambda: answers(server.port), process, folder)
        try:
            yield
        finally:
            subprocess.run(["postfix", "-c", etc, "stop"], capture_output=True, timeout=STOP_SECONDS)


def _copy(source, folder, root, changes=None, *, mode=0o644):
    """Copy a file of deploy/ with its paths and values changed; each change must hit."""
    folder.mkdir(exist_ok=True)
    text = source.read_text()
    for old, new in (changes or {}).items():
        text = text.replace(old, new)
    for system in ("/etc/dovecot/", "/etc/postfix/"):
        text = text.replace(system, f"{folder}/")
    target = folder / source.name
    target.write_text(text.replace("/var/spool/postfix/", f"{root}/spool/"))
    target.chmod(mode)


def _append(path, text):
    with open(path, "a") as file:
        file.write("\n" + text)


def _certificate(folder) -> Path:
    """Make the self-signed pair that Postfix serves; return the certificate alone."""
    key, certificate = folder / "tls.key", folder / "tls.crt"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = "subjectAltName=DNS:smtp.sendlayer.test,DNS:localhost,IP:127.0.0.1"
    command += ["-subj", "/CN=smtp.sendlayer.test", "-addext", names, "-days", "7"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    (folder / "tls.pem").write_text(key.read_text() + certificate.read_text())
    (folder / "tls.pem").chmod(0o600)
    return certificate


@contextmanager
def running(command, output):
    with open(output, "wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait(condition, process, folder):
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            said = "".join(path.read_text() for path in [*folder.glob("*.out"), *folder.glob("*.log")])
            raise RuntimeError(f"{process.args[0]} does not start:\n{said[-3000:]}")
        time.sleep(0.05)


def answers(port) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
            return probe.recv(100).startswith(b"220")
    except OSError:
        return False


def _require(kind):
    """Name what is missing. Raises RuntimeError."""
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    modules = {
        POSTFIX_MODULES[kind]: Path(f"/usr/lib/postfix/postfix-{kind}.so"),
        DOVECOT_MODULES[kind]: Path(f"/usr/lib/dovecot/modules/auth/libdriver_{kind}.so"),
    }
    missing += [package for package, path in modules.items() if not path.exists()]
    if missing:
        raise RuntimeError(f"Missing packages: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        raise RuntimeError("Postfix's master starts as root only: run the tests as root.")
