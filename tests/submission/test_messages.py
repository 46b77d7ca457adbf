"""Postfix's account of messages: what is counted, and that nothing it could be sent does harm."""

import asyncio

import pytest

from submission.reports import postfix
from submission.reports.postfix import DUNNO, MAX_REQUEST_SIZE, Messages

NAME = "0123456789ABCDEF0123456789ABCDEF"
REQUEST = {
    "request": "smtpd_access_policy",
    "protocol_state": "END-OF-MESSAGE",
    "client_address": "203.0.113.7",
    "helo_name": "shop.example",
    "sender": "info@sl.example.com",
    "sasl_username": f"{NAME}.3",
}
COUNTED = [(NAME, "203.0.113.7", "shop.example", REQUEST["sender"])]


class Tally(list):
    """What would be counted."""

    def add_message(self, username, ip, *, ehlo, mail_from):
        self.append((username, ip, ehlo, mail_from))


class Transport:
    """Bytes that were answered; `is_open` until the connection is ended."""

    def __init__(self):
        self.answered, self.is_open = b"", True

    def write(self, data):
        assert self.is_open
        self.answered += data

    def abort(self):
        self.is_open = False


def request(**changes) -> bytes:
    return "".join(f"{name}={value}\n" for name, value in (REQUEST | changes).items()).encode() + b"\n"


def send(*packets):
    """What comes of packets on one connection: (counted, answered, is_open)."""
    connection, transport = Messages(tally := Tally())(), Transport()
    connection.connection_made(transport)
    for packet in packets:
        if transport.is_open:
            connection.data_received(packet)
    return list(tally), transport.answered, transport.is_open


def test_report_of_a_message_records_ehlo_name_and_sender():
    assert send(request()) == (COUNTED, DUNNO, True)


def test_ipv4_mapped_address_is_recorded_as_ipv4():
    assert send(request(client_address="::ffff:203.0.113.7"))[0] == COUNTED


@pytest.mark.parametrize("size", [1, 7, 100])
def test_reports_may_be_split_and_joined(size):
    whole = request() * 3
    packets = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert send(*packets) == send(whole) == (COUNTED * 3, DUNNO * 3, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol_state": "RCPT"},
        {"protocol_state": ""},
        {"sasl_username": ""},
        {"sasl_username": NAME.lower()},
        {"sasl_username": f"x{NAME}"},
        {"sasl_username": "' OR 1=1 --"},
        {"client_address": ""},
        {"client_address": "unknown"},
        {"client_address": "203.0.113.7\0"},
        {"client_address": "9" * 5000},
    ],
)
def test_request_about_no_message_is_answered_and_ignored(changes):
    assert send(request(**changes)) == ([], DUNNO, True)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\n\n",
        b"\0\n\n",
        b"\xff\xfe=\xff\n\n",
        b"=\n=\n\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\n\n",
        b"x" * 9000 + b"\n\n",
    ],
)
def test_garbage_is_answered_and_ignored(garbage):
    assert send(garbage, request()) == (COUNTED, DUNNO * 2, True)


def test_names_are_recorded_unchanged():
    hostile = "<script>\0\u202e\x1b[31m"
    counted, answered, _ = send(request(helo_name=hostile, sender="a=b@sl.example.com"))
    assert counted == [(NAME, "203.0.113.7", hostile, "a=b@sl.example.com")]
    assert answered == DUNNO


def test_one_of_two_values_for_a_name_counts():
    assert send(request()[:-1] + b"helo_name=other.example\n\n")[0][0][2] == "other.example"


@pytest.mark.parametrize(
    "packets", [(b"x" * (MAX_REQUEST_SIZE + 1),), (b"x" * MAX_REQUEST_SIZE, b"x"), (b"a=b\n" * 9000,)]
)
def test_endless_request_is_cut_off(packets):
    assert send(*packets) == ([], b"", False)


def test_unfinished_request_is_not_counted():
    assert send(request()[:-1]) == ([], b"", True)


def test_number_of_report_connections_is_limited(monkeypatch):
    monkeypatch.setattr(postfix.PostfixConnection, "most", 1)
    served = Messages(Tally())
    first, second = served(), served()
    for connection in (first, second):
        connection.connection_made(transport := Transport())
    assert not transport.is_open and served.connections == {first}
    second.connection_lost(None)
    first.connection_lost(None)
    assert served.connections == set()


def test_report_over_a_real_connection_is_counted():
    async def run():
        server = await asyncio.get_running_loop().create_server(Messages(tally := Tally()), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for _ in range(2):
            writer.write(request())
            assert await reader.readexactly(len(DUNNO)) == DUNNO
        writer.write(b"\0" * (2 * MAX_REQUEST_SIZE))
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        server.close()
        return tally

    assert asyncio.run(run()) == COUNTED * 2
