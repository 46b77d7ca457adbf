"""What the connections of both ports have in common: there are only so many, and none fills the memory."""

import asyncio


class BoundedConnection(asyncio.Protocol):
    """One connection of a mail server, kept in `connections` while it's open; beyond `most`, it's closed."""

    most: int

    def __init__(self, connections: set["BoundedConnection"]):
        self._connections = connections

    def connection_made(self, transport):
        self.transport = transport
        if len(self._connections) >= self.most:
            return transport.abort()
        self._connections.add(self)

    def connection_lost(self, error):
        self._connections.discard(self)

    def pause_writing(self):
        self.transport.pause_reading()  # a client that doesn't read its answers is asked for nothing more

    def resume_writing(self):
        self.transport.resume_reading()
