"""The limits of connections to both ports: their number, and the memory that each can take."""

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
