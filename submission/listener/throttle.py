"""Wrong logins of late, so that guessing is slow and then stops. No Django, no sockets, one process.

Never by the username alone: whoever guesses one, or a site that still has an old password, must not
lock out the others that use it. Nor does the same wrong login again count as another guess: a site
that goes on trying its old password only waits longer each time, and the right one, once somebody
types it in there, is taken at once.
"""

import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b

SECONDS = 600  # a wrong login is forgotten after that
SHARE = 5  # one username gets a fifth of what a client may guess
LONGEST_DELAY = 5.0
MOST_CLIENTS = 10_000
MOST_OF_A_NAME = 64  # characters that are kept of one; a command has room for 700


@dataclass(slots=True)
class Client:
    """What one client guessed: `guesses` is fingerprint → username, `pending` are those being judged."""

    began: float
    guesses: dict[bytes, str] = field(default_factory=dict)
    pending: set[bytes] = field(default_factory=set)
    wrong: Counter[str] = field(default_factory=Counter)


class Guesses:
    """A client (submission.ip.client_of) may guess `most` times, a fifth of it one username.

    A guess is counted before it is judged, so that those at once all count.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic):
        self._most, self._most_a_name, self._clock = most, max(1, most // SHARE), clock
        self._clients: OrderedDict[str, Client] = OrderedDict()
        self._salt = secrets.token_bytes(16)

    def take(self, client: str, username: str, password: str) -> bool:
        """Count a login that is to be judged; False when it must not even be."""
        known, guess = self._client(client), self._fingerprint(username, password)
        username = username[:MOST_OF_A_NAME]
        if guess in known.guesses:
            return True
        of_name = sum(name == username for name in known.guesses.values())
        # Right ones are pending for a moment, too: many sites of one client must not stop each other.
        if len(known.guesses) - len(known.pending) >= self._most or of_name >= self._most_a_name:
            return False
        known.guesses[guess] = username
        known.pending.add(guess)
        return True

    def wrong(self, client: str, username: str, password: str) -> float:
        """Tell that it was refused; return how many seconds its answer has to wait."""
        known = self._client(client)
        known.pending.discard(self._fingerprint(username, password))
        username = username[:MOST_OF_A_NAME]
        known.wrong[username] += 1
        over = known.wrong[username] - self._most_a_name // 2
        return min(LONGEST_DELAY, 0.1 * 2 ** min(over, 10)) if over > 0 else 0.0

    def right(self, client: str, username: str) -> None:
        """Tell that it was accepted: what was wrong of this username before is forgotten."""
        known = self._client(client)
        for guess in [each for each, name in known.guesses.items() if name == username]:
            del known.guesses[guess]
            known.pending.discard(guess)
        del known.wrong[username]
        if not known.guesses:
            del self._clients[client]

    def unknown(self, client: str, username: str, password: str) -> None:
        """Tell that nobody could judge it."""
        known, guess = self._client(client), self._fingerprint(username, password)
        if guess in known.pending:
            known.pending.remove(guess)
            del known.guesses[guess]

    def _client(self, name: str) -> Client:
        known, now = self._clients.get(name), self._clock()
        if known is None or now - known.began >= SECONDS:
            known = self._clients[name] = Client(now)
            self._clients.move_to_end(name)
            if len(self._clients) > MOST_CLIENTS:
                self._clients.popitem(last=False)
        return known

    def _fingerprint(self, username: str, password: str) -> bytes:
        """Tells logins apart without keeping any."""
        text = f"{username}\0{password}".encode(errors="surrogatepass")
        return blake2b(text, key=self._salt, digest_size=16).digest()
