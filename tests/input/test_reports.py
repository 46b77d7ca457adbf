"""The ports for reports of mail servers survive any input and use little memory."""

import json
import re
import socket
import subprocess
import time
from contextlib import suppress
from typing import NamedTuple

import pytest

from credentials.models import LoginDay
from tests.input.catalogue import rows
from tests.input.speaking import held, judge_log, sockets
from tests.mail.reports import Reporting, reporting, serving
from tests.submission.clients import wait_until

pytestmark = pytest.mark.one_database

COUNTED = pytest.mark.django_db(transaction=True)

SECONDS = 20
ROOM = 16  # MB


class Running(NamedTuple):
    to: Reporting
    process: subprocess.Popen

    def connect(self, port) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), SECONDS)

    def post(self, body, *headers, secret=None, line="POST / HTTP/1.1", length=None) -> bytes:
        """Return a request as Dovecot sends it, with more `headers`."""
        body = body if isinstance(body, bytes) else body.encode()
        lines = [line, "Host: x", f"Authorization: Bearer {secret or self.to.secret}"]
        lines += [f"Content-Length: {len(body) if length is None else length}", *headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


@pytest.fixture(scope="module")
def reports(django_db_setup, django_db_blocker, tmp_path_factory):
    to, log = reporting(""), tmp_path_factory.mktemp("reports") / "log"
    with django_db_blocker.unblock(), serving(to, log) as process:
        yield Running(to, process)
        assert process.poll() is None
    judge_log(log)
    assert to.secret not in log.read_text()


@pytest.fixture
def exchange(reports):
    """Send bytes to the port of logins; afterwards assert that a good report is accepted."""

    def exchange(data: bytes) -> bytes:
        with reports.connect(reports.to.port) as connection:
            return _exchange(connection, data)

    yield exchange
    assert statuses(exchange(reports.post(GOOD))) == [200]


def _exchange(connection, data) -> bytes:
    answer = b""
    with suppress(OSError):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answer)]


def report(username="0" * 32, **fields) -> str:
    known = {"login": username, "session": "x.previous", "remote": "198.51.100.7", "success": False}
    return json.dumps(known | fields)


GOOD = report(session="x")  # of a lookup that did not decide: accepted, not counted


@rows(
    "body",
    W100="",
    W101="[]",
    W102="null",
    W103="1e999",
    W104="NaN",
    W105='"x"',
    W106="[" * 3000,
    W107="{" + '"a":{' * 500,
    W108=GOOD[:-1],
    W109="9" * 3500,
    W110=report(login=None, remote=1),
    W111=report(session=None),
    W112=report(success="yes"),
    W113=report(remote="\x00"),
    W115=report(remote="::1" * 900),
    W116=report(pwhash=["x"]),
    W118=b"\xff\xfe" + GOOD.encode("utf-16-le")[:-1],
    W119=b"\xff" * 300,
)
def test_malformed_report_is_refused(reports, exchange, body):
    assert statuses(exchange(reports.post(body))) == [400]


@COUNTED
@rows(
    "fields",
    W120={"login": "\x00"},
    W121={"login": ["x"]},
    W122={"login": "sl_" + "0" * 38},
    W123={"pwhash": "\x00\ud800"},
    W124={"pwhash": "\x00\ud800", "login": "0" * 32},
    W125={"pwhash": "x" * 3000, "login": "0" * 32},
    W126={"remote": "fe80::1%\ud800"},
    W126b={"remote": "198.51.100.7%eth0\x00/24"},
    W127={"remote": "::ffff:198.51.100.7"},
    W128={"session": "\ud800.previous"},
    W129={"success": True, "login": "\ud800"},
    W130={"login": "0" * 32, "more": {"a": [None] * 500}},
)
def test_report_with_odd_values_is_accepted_and_harmless(reports, exchange, credential, fields):
    fields = {"login": credential.username} | fields
    assert statuses(exchange(reports.post(report(**fields)))) == [200]
    exchange(reports.post(report(credential.username)))
    # Counts of the same second are written together.
    wait_until(lambda: LoginDay.objects.filter(username=credential.username, outcome="wrong_password").exists())


@rows(
    "data, wanted",
    W140=(lambda post: post(GOOD, secret="wrong"), {401}),
    W141=(lambda post: post(GOOD, secret="\xff\x00" * 99), {400, 401}),
    W142=(lambda post: post(GOOD, "Authorization: Bearer x"), {401}),
    W143=(lambda post: post(GOOD, line="GET / HTTP/1.1"), {405}),
    W144=(lambda post: post(GOOD, line="TRACE * HTTP/1.0"), {400, 405}),
    W145=(lambda post: post(GOOD, line="POST / HTTP/9.9"), {400}),
    W146=(lambda post: post(GOOD, line="\x00"), {400}),
    W147=(lambda post: post(GOOD, line="PRI * HTTP/2.0"), {400}),
    W148=(lambda post: post(GOOD, line="CONNECT x:1 HTTP/1.1"), {400, 405}),
    W149=(lambda post: post(GOOD, "Upgrade: h2c", "Connection: upgrade"), {200, 400}),
    W150=(lambda post: post(GOOD, "X-A: " + "x" * 5000), {413}),
    W151=(lambda post: post(GOOD, *(f"X-{number}: x" for number in range(900))), {413}),
    W152=(lambda post: post(GOOD, "Transfer-Encoding: chunked"), {400}),
    W153=(lambda post: post(GOOD, "Content-Length: 1"), {400}),
    W154=(lambda post: post(GOOD, length=-1), {400}),
    W155=(lambda post: post(GOOD, length=10**30), {400, 413}),
    W156=(lambda post: post(GOOD, "X A: b"), {400}),
    W157=(lambda post: post(GOOD, "X-A: a\x00b"), {400}),
    W158=(lambda post: post("x" * 100_000), {413}),
    W159=(lambda post: b"\x16\x03\x01" + bytes(range(256)), {400}),
    W160=(lambda post: b"\x00" * 5000, {413}),
    W161=(lambda post: b"POST / HTTP/1.1\n\n\n\n", {400, 401}),
    W162=(lambda post: post("[]") * 20, {400}),
    W163=(lambda post: post(GOOD, "Connection: close") * 5, {200}),
    W164=(lambda post: post(GOOD, "Expect: 100-continue"), {200}),
    W165=(lambda post: post(GOOD, line="POST / HTTP/1.0"), {200}),
)  # fmt: skip
def test_malformed_report_requests_are_answered_and_limited(reports, exchange, data, wanted):
    found = statuses(exchange(data(reports.post)))
    assert found and set(found) <= wanted
    if wanted == {200}:
        assert len(found) == 1


def test_chunked_and_pipelined_reports_are_answered(reports, exchange):
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD.encode())
    head = reports.post("", "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
    assert statuses(exchange(head + chunks)) == [200]
    assert statuses(exchange(reports.post(GOOD) * 8)) == [200] * 8


def test_report_sent_byte_by_byte_is_accepted(reports):
    with reports.connect(reports.to.port) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in reports.post(GOOD):
            connection.send(bytes([byte]))
        assert statuses(connection.recv(1000)) == [200]


def test_client_that_never_reads_uses_no_memory(reports):
    before = held(reports.process)
    for port, data in ((reports.to.port, reports.post("[]") * 10), (reports.to.messages_port, b"x=y\n\n" * 10)):
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(SECONDS)
            connection.connect(("127.0.0.1", port))
            connection.settimeout(1)
            with pytest.raises((TimeoutError, ConnectionError)):  # it reads no more either, or hangs up
                for _ in range(100_000):
                    connection.sendall(data)
                    time.sleep(0.0001)  # so that it is not too much at once
        assert held(reports.process) - before < ROOM


def test_too_many_pipelined_policy_requests_are_disconnected(reports):
    with reports.connect(reports.to.messages_port) as connection:
        assert len(_exchange(connection, b"\n\n" * 50_000)) < 5000


def test_too_many_report_connections_are_closed(reports, exchange):
    at_rest = sockets(reports.process)
    opened = [reports.connect(reports.to.port) for _ in range(220)]
    try:
        wait_until(lambda: at_rest + 190 < sockets(reports.process) < at_rest + 205)
    finally:
        for connection in opened:
            connection.close()
    wait_until(lambda: sockets(reports.process) <= at_rest)


@COUNTED
@rows(
    "sent",
    W170=b"\n\n",
    W171=b"=\n=\n\n",
    W172=b"\x00" * 300 + b"\n\n",
    W173=b"\xff\xfe=\xff\n\n",
    W174=b"protocol_state=END-OF-MESSAGE\nsasl_username=%s.1\nclient_address=x\n\n",
    W175=b"protocol_state=END-OF-MESSAGE\nsasl_username=%s.1\nclient_address=1.2.3.4\nhelo_name=\x00\xff\x1b[2J\n\n",
    W176=b"protocol_state=END-OF-MESSAGE\nsasl_username=%s.1\nclient_address=::1%%x\nsender="
    + b"x" * 9000
    + b"\n\n",
    W177=b"protocol_state=END-OF-MESSAGE\nsasl_username=%s\nclient_address=1.2.3.4\nsender=<script>\xed\xa0\x80\n\n",
    W178=b"protocol_state=END-OF-MESSAGE\nsasl_username=\n\n",
    W179=b"GET / HTTP/1.1\r\n\r\n\n\n",
)
def test_policy_server_answers_dunno_to_any_request(reports, credential, sent):
    sent = sent.replace(b"%s", credential.username.encode()).replace(b"%%", b"%")
    with reports.connect(reports.to.messages_port) as connection:
        assert _exchange(connection, sent) == b"action=DUNNO\n\n"


def test_endless_policy_request_is_disconnected(reports):
    with reports.connect(reports.to.messages_port) as connection:
        assert _exchange(connection, b"x" * 200_000) == b""


@COUNTED
def test_policy_server_still_counts_after_bad_input(reports, credential):
    asked = f"protocol_state=END-OF-MESSAGE\nsasl_username={credential.username}.1\nclient_address=1.2.3.4\n"
    with reports.connect(reports.to.messages_port) as connection:
        _exchange(connection, (asked + "helo_name=a\x00b\n\n").encode())
    wait_until(lambda: LoginDay.objects.filter(username=credential.username, ehlo="a?b").exists())
