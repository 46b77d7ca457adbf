"""A real DNS server on loopback, nsd, with zones that tests write; and a fake one that misbehaves."""

import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from tests.servers import free_port

NSD = "/usr/sbin/nsd"
START_SECONDS = 60
ZONES = ("example.com", "example.net")
DELEGATED = "delegated.example.com"  # a zone of its own, always empty
BROKEN = "broken.test"  # its file does not exist: SERVFAIL. Any other zone is REFUSED
CONFIGURATION = """
server:
  server-count: 1
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  zonelistfile: "{folder}/zone.list"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
"""


class DnsServer:
    """A running nsd; `address` is what DNS_RESOLVERS takes."""

    def __init__(self, folder: Path, port: int, process):
        self.address = f"127.0.0.1:{port}"
        self._folder, self._port, self._process = folder, port, process
        self._log = folder / "nsd.log"
        self._serials = count(2)

    def put(self, *records: str, zone="example.com"):
        """Replace a zone's records, each as in a zone file; return when they are served."""
        serial = next(self._serials)
        write_zone(self._folder, zone, serial, records)
        self._process.send_signal(signal.SIGHUP)
        self.wait_for(zone, serial)

    def empty(self):
        for zone in ZONES:
            self.put(zone=zone)

    def wait_for(self, zone, serial):
        deadline, seen = time.monotonic() + START_SECONDS, 0
        # Several times: while nsd reloads, its old process answers beside the new one.
        while seen < 25:
            if self._serial(zone) == serial:
                seen += 1
                continue
            seen = 0
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nsd does not serve {zone}:\n{self._log.read_text()}")
            time.sleep(0.01)

    def _serial(self, zone) -> int | None:
        query = dns.message.make_query(zone, "SOA")
        try:
            response = dns.query.udp(query, "127.0.0.1", timeout=1, port=self._port)
        except (OSError, dns.exception.Timeout):
            return None
        return next((rrset[0].serial for rrset in response.answer), None)


def proof(domain, value=None) -> str:
    """The TXT record that proves a domain under example.com, for its zone file."""
    host = domain.name.removesuffix(".example.com")
    return f'_sendlayer.{host} TXT "{value or "sendlayer-verification=" + domain.verification_token}"'


def write_zone(folder, zone, serial, records):
    head = (
        f"$ORIGIN {zone}.",
        "$TTL 60",
        f"@ SOA ns host {serial} 3600 600 86400 60",
        "@ NS ns",
        "ns A 127.0.0.1",
    )
    new = folder / f"{zone}.new"
    new.write_text("".join(f"{line}\n" for line in (*head, *records)), encoding="ascii")
    new.rename(folder / f"{zone}.zone")  # atomically


@contextmanager
def dns_server(folder: Path):
    """Run nsd on a free port until the block ends. Raises RuntimeError when it is not installed."""
    if not Path(NSD).exists():
        raise RuntimeError("nsd is not installed. Run `make dns-server`, or apt-get install nsd.")
    port = free_port()
    zones = "".join(
        f'zone:\n  name: {zone}\n  zonefile: "{zone}.zone"\n' for zone in (*ZONES, DELEGATED, BROKEN)
    )
    (folder / "nsd.conf").write_text(CONFIGURATION.format(port=port, folder=folder) + zones)
    for zone in (*ZONES, DELEGATED):
        write_zone(folder, zone, 1, [])
    with open(folder / "nsd.log", "wb") as log:
        process = subprocess.Popen([NSD, "-d", "-c", folder / "nsd.conf"], stderr=log)
    try:
        server = DnsServer(folder, port, process)
        for zone in ZONES:  # before that, a signal would end it
            server.wait_for(zone, 1)
        yield server
    finally:
        process.terminate()
        process.wait(START_SECONDS)


class FakeResolver:
    """A UDP socket that answers each query by `answer`, and records the names in `names`.

    `answer` takes a query (a dns.message.Message) and its wire form, and returns the datagrams to send.
    Nothing is sent before `held` is set.
    """

    def __init__(self, answer=lambda query, wire: ()):
        self.answer, self.names = answer, []
        self.held = threading.Event()
        self.held.set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", free_port()))
        self.address = "{}:{}".format(*self._socket.getsockname())
        self._threads = [threading.Thread(target=self._receive, name="fake-resolver", daemon=True)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error):
        self.held.set()
        self._socket.sendto(b"", self._socket.getsockname())
        self._threads[0].join()
        self._socket.close()

    def _receive(self):
        waiting = []
        self._socket.settimeout(0.02)
        while True:
            try:
                wire, sender = self._socket.recvfrom(65535)
            except TimeoutError:
                wire = None
            if wire == b"":
                return
            if wire:
                query = dns.message.from_wire(wire)
                self.names.append(query.question[0].name.to_text(omit_final_dot=True))
                waiting.append((query, wire, sender))
            if self.held.is_set():
                for query, wire, sender in waiting:
                    for datagram in self.answer(query, wire):
                        self._socket.sendto(datagram, sender)
                waiting.clear()
