"""One message on its way to the next hop holds no other session up, whatever it is made of."""

import asyncio
import time

from submission.message import Message
from submission.relay import Relay
from tests.submission.clients import MESSAGE, RECIPIENT, SENDER

SIZE = 9_000_000
LONGEST_SECONDS = 0.4


async def next_hop(reader, writer):
    writer.write(b"220 hop.example\r\n")
    while line := await reader.readline():
        if line == b"DATA\r\n":
            writer.write(b"354 Go ahead\r\n")
            end = b""
            while end != b"\r\n.\r\n":
                end = (end + await reader.read(65_536))[-5:]
        writer.write(b"250 OK\r\n")
    writer.close()


async def longest_standstill(delivering) -> float:
    longest, at = 0.0, time.monotonic()
    while not delivering.done():
        await asyncio.sleep(0.001)
        longest, at = max(longest, time.monotonic() - at), time.monotonic()
    await delivering
    return longest


def test_a_message_of_dots_holds_nobody_up():
    message = Message("1", SENDER, (RECIPIENT,), MESSAGE + b".\r\n" * (SIZE // 3), smtp_utf8=False)

    async def run():
        async with await asyncio.start_server(next_hop, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            relay = Relay.from_url(f"smtp://127.0.0.1:{port}", "me.example")
            return await longest_standstill(asyncio.ensure_future(relay.deliver(message)))

    assert asyncio.run(run()) < LONGEST_SECONDS
