"""Sites that log in at a mail node, as a process in the clients' network: `python -m tests.cluster.load HOST`.

Reads JSON lines: {"live": [[username, password], …]}, {"revoked": [username, password]}, {"rate": per second}.
Writes one for each login: [began, ended, username, answer], which is a reply code or the exception's name.
Half of the logins are of credentials that were revoked, once there are such.
"""

import asyncio
import base64
import json
import random
import ssl
import sys
import time

from tests.cluster.hosts import SITES

PORT = 465
# Longer than Postfix waits for an answer of Dovecot, twice.
TIMEOUT = 40
LONGEST_LINE = 1 << 24
RECENT = 200


def _context():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Load:
    def __init__(self, host: str):
        self.host, self.context = host, _context()
        self.live: list[list[str]] = []
        self.revoked: list[list[str]] = []
        self.rate = 0.0
        self.chance = random.Random()  # noqa: S311

    def obey(self, line: str) -> None:
        said = json.loads(line)
        self.live = said.get("live", self.live)
        self.rate = said.get("rate", self.rate)
        if "revoked" in said:
            self.revoked = [*self.revoked[-RECENT:], said["revoked"]]
            self.live = [pair for pair in self.live if pair[0] != said["revoked"][0]]

    async def run(self, reader) -> None:
        """Log in at the rate until the end of the input, then wait for the last answers."""
        obeying = asyncio.create_task(self._obey_all(reader))
        running: set[asyncio.Task] = set()
        due = time.monotonic()
        while not obeying.done():
            if not self.rate:
                await asyncio.sleep(0.05)
                due = time.monotonic()
                continue
            due += 1 / self.rate
            await asyncio.sleep(max(0, due - time.monotonic()))
            task = asyncio.create_task(self._login(*self._choose()))
            running.add(task)
            task.add_done_callback(running.discard)
        if running:
            await asyncio.wait(running)

    async def _obey_all(self, reader) -> None:
        while line := await reader.readline():
            self.obey(line)

    def _choose(self) -> list[str]:
        revoked = self.revoked and (not self.live or self.chance.random() < 0.5)
        return self.chance.choice(self.revoked if revoked else self.live)

    async def _login(self, username: str, password: str) -> None:
        began = time.time()
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await self._answer(username, password)
        except (TimeoutError, OSError, EOFError, ValueError) as error:
            answer = type(error).__name__
        print(json.dumps([began, time.time(), username, answer]), flush=True)

    async def _answer(self, username: str, password: str) -> str:
        """Return the reply code to AUTH, or of a refusal before it."""
        local = (self.chance.choice(SITES), 0)
        reader, writer = await asyncio.open_connection(
            self.host, PORT, ssl=self.context, local_addr=local, limit=65536
        )
        try:
            plain = base64.b64encode(f"\0{username}\0{password}".encode()).decode()
            for command, expected in ((None, "220"), ("EHLO site.example", "250"), (f"AUTH PLAIN {plain}", "")):
                if command:
                    writer.write(f"{command}\r\n".encode())
                code = await _reply(reader)
                if code != expected and expected:
                    return code
            writer.write(b"QUIT\r\n")
            return code
        finally:
            writer.transport.abort()


async def _reply(reader) -> str:
    while True:
        line = await reader.readuntil(b"\n")
        if line[3:4] != b"-":
            return line[:3].decode()


async def main() -> None:
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await Load(sys.argv[1]).run(reader)


if __name__ == "__main__":
    asyncio.run(main())
