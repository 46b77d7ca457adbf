"""The cost of relaying a message, in memory and in time that blocks other sessions."""

import asyncio
import hashlib
import time
import tracemalloc

import pytest

from submission.delivery import relay
from submission.delivery.message import Message
from submission.delivery.next_hop import Deferred, Rejected
from submission.delivery.relay import Relay
from tests.submission.clients import MESSAGE, RECIPIENT, SENDER
from tests.submission.scripted_server import Scripted

pytestmark = pytest.mark.one_database

SIZE = 9_000_000
TEXT = b"A line of a message as people write them, with some words in it.\r\n"
LONG = MESSAGE + TEXT * (SIZE // len(TEXT))


@pytest.mark.parametrize("line", [TEXT, b".\r\n", b"\r\n"])
def test_cost_of_a_message_does_not_depend_on_its_lines(line):
    content = MESSAGE + line * (SIZE // len(line))
    before = time.process_time()
    for _ in range(3):
        hashlib.sha512(content)
    digest = (time.process_time() - before) / 3
    assert min(processor_seconds(content) for _ in range(3)) < 10 * digest


def processor_seconds(content: bytes) -> float:
    """The CPU seconds of this process, next hop included, to relay a message."""
    message = Message("1", SENDER, (RECIPIENT,), content, smtp_utf8=False)

    async def run():
        ended = asyncio.Event()

        async def next_hop(reader, writer):
            await take(reader, writer)
            writer.close()
            ended.set()

        async with await asyncio.start_server(next_hop, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            before = time.process_time()
            await Relay.from_url(f"smtp://127.0.0.1:{port}", "me.example").deliver(message)
            cost = time.process_time() - before
            await asyncio.wait_for(ended.wait(), 10)
            return cost

    return asyncio.run(run())


async def take(reader, writer):
    writer.write(b"220 hop.example\r\n")
    while line := await reader.readline():
        if line == b"DATA\r\n":
            writer.write(b"354 Go ahead\r\n")
            end = b""
            while end != b"\r\n.\r\n":
                end = (end + await reader.read(65_536))[-5:]
        writer.write(b"250 OK\r\n")


def test_next_hop_that_does_not_read_gets_a_bounded_number_of_bytes(monkeypatch):
    monkeypatch.setattr(relay, "BLOCK_SECONDS", 0.5)
    with stopping_at_data() as hop, pytest.raises(Deferred, match="TimeoutError"):
        tracemalloc.start()
        try:
            deliver(hop)
        finally:
            _now, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
    assert most < SIZE / 4


def test_refusal_before_the_end_of_the_message_is_noticed():
    with stopping_at_data("552 5.3.4 Too big") as hop, pytest.raises(Rejected, match="552"):
        deliver(hop)


def test_acceptance_before_the_end_of_the_message_does_not_count():
    with stopping_at_data("250 2.0.0 Have it") as hop, pytest.raises(Deferred, match="250"):
        deliver(hop)


def stopping_at_data(reply="") -> Scripted:
    """A next hop that reads only the beginning of a message, then sends this reply."""

    def stop(server, connection, line):
        connection.sendall(b"354 Go ahead\r\n")
        connection.recv(1000)
        if reply:
            connection.sendall(reply.encode() + b"\r\n")
        server.stopping.wait(10)
        raise ConnectionAbortedError

    return Scripted(offers=(), DATA=stop)


def deliver(hop):
    message = Message("1", SENDER, (RECIPIENT,), LONG, smtp_utf8=False)
    asyncio.run(Relay.from_url(f"smtp://127.0.0.1:{hop.port}", "me.example").deliver(message))
