"""A primary that dies and a standby that is promoted: what runs goes on with it, without a restart."""

import json
import signal
import socket
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from uuid import uuid4

import pytest

from tests import servers
from tests.faults.elsewhere import set_up
from tests.faults.web import Person, site
from tests.mail.reports import reporting, serving
from tests.replicas import ask, beating, primary_with_standbys
from tests.submission.clients import wait_until

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]

BEATS = "SELECT extract(epoch FROM at) FROM credentials_heartbeat"


def test_pages_reports_and_heartbeat_go_on_with_a_promoted_standby(tmp_path):
    with primary_with_standbys() as (primary, (standby,)), silent_server() as silent:
        name, session = set_up(primary.url)
        several = ",".join(f"127.0.0.1:{port}" for port in (silent, primary.port, standby.port))
        url = f"postgres://postgres@{several}/postgres?target_session_attrs=read-write"
        to = reporting(nonce="0" * 64)
        with (
            open(tmp_path / "heartbeat.log", "wb") as log,
            beating(url, output=log) as heartbeat,
            site(tmp_path, DATABASE_URL=url) as web,
            serving(to, tmp_path / "reports.log", DATABASE_URL=url),
        ):
            path = f"/domains/{name}/settings/smtp/"

            def acts() -> bool:
                """Whether a page is shown and an act on it committed."""
                person = Person(web.port, session)
                status, target = person.ask("POST", path + "add/", key=uuid4())
                return person.ask("GET", path)[0] == 200 and status == 302 and "new=" in target

            assert acts()
            wait_until(lambda: ask(standby, f"SELECT EXISTS ({BEATS})"))
            before = ask(primary, "SELECT count(*) FROM credentials_credential")
            standby.has_replayed(primary)
            primary.stop()
            standby.promote()
            promoted = ask(standby, "SELECT extract(epoch FROM clock_timestamp())")
            wait_until(acts)
            assert ask(standby, "SELECT count(*) FROM credentials_credential") > before
            wait_until(lambda: ask(standby, BEATS) > promoted)
            username = ask(standby, "SELECT username FROM credentials_credential LIMIT 1")
            assert refused_login(to, username) == 200
            wait_until(lambda: ask(standby, "SELECT EXISTS (SELECT FROM credentials_loginday)"))
            heartbeat.send_signal(signal.SIGTERM)
            assert heartbeat.wait(servers.STOP_SECONDS) == 0
        first, failed, again = (tmp_path / "heartbeat.log").read_text().splitlines()
        assert first == "Beating every 1 s, for leases of 5 s"
        assert failed.startswith("Can't beat") and again.startswith("Beating again, after ")
        primary.start()  # its context stops it


@contextmanager
def silent_server():
    """A port of a server that doesn't answer, as that of a machine that is gone; yield it."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", servers.free_port()))
        server.listen(0)
        for _ in range(3):  # more than it queues: what comes after them gets no answer at all
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def refused_login(to, username) -> int:
    """Report one as Dovecot does; return the status."""
    known = {"login": username, "session": f"{username}.previous", "remote": "198.51.100.7", "success": False}
    headers = {"Authorization": f"Bearer {to.secret}", "Content-Type": "application/json"}
    connection = HTTPConnection("127.0.0.1", to.port, timeout=servers.START_SECONDS)
    connection.request("POST", "/?command=report", json.dumps(known), headers)
    status = connection.getresponse().status
    connection.close()
    return status
