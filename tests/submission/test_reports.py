"""The connections that Dovecot reports on, when nothing or only half a report comes."""

import asyncio

import pytest

from submission.reports import dovecot
from submission.reports.dovecot import RECEIVED, Reports

SECRET = "a secret of the test"
BODY = b'{"login": "x", "session": "x", "remote": "", "success": false}'  # of no lookup: nothing is counted
REPORT = b"POST / HTTP/1.1\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n" % (
    SECRET.encode(),
    len(BODY),
)
REPORT += BODY


@pytest.mark.parametrize("unfinished", [b"", REPORT[:40], REPORT[:-1]], ids=["nothing", "head", "body"])
@pytest.mark.parametrize("finished", [0, 2])
def test_idle_connection_is_closed(monkeypatch, unfinished, finished):
    monkeypatch.setattr(dovecot, "IDLE_SECONDS", 0.2)

    async def run():
        reports = Reports(SECRET, tally=None)
        server = await asyncio.get_running_loop().create_server(reports, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(REPORT * finished + unfinished)
        for _ in range(finished):
            await reader.readuntil(RECEIVED)
        while not reports.connections:
            await asyncio.sleep(0.01)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 10)
        assert not reports.connections
        writer.close()
        server.close()

    asyncio.run(run())
