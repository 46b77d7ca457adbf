"""A next hop that accepts and discards every message, so that big ones cost little."""

import asyncio
import threading
from contextlib import contextmanager

END = b"\r\n.\r\n"


@contextmanager
def discarding():
    """Run the next hop until the block ends; yield its SMTP_RELAY_URL."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(_talk, "127.0.0.1", 0, limit=2**20))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(_end(asyncio.all_tasks(loop)))
        loop.close()


async def _talk(reader, writer):
    try:
        writer.write(b"220 discarding.example\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 Go on\r\n")
                await _discard(reader)
            writer.write(b"221 Bye\r\n" if verb == b"QUIT" else b"250 OK\r\n")
            if verb == b"QUIT":
                break
    except ConnectionError:
        pass
    finally:
        writer.close()


async def _discard(reader):
    tail = b""
    while not tail.endswith(END) and (chunk := await reader.read(2**18)):
        tail = (tail + chunk[-len(END) :])[-len(END) :]


async def _end(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
