"""Recent wrong logins, to slow guessing down and then stop it. No Django, no sockets, one process.

Never counted by username alone: a client that guesses, or a site with an old password, must not lock
out other users of the same username. The same wrong login again is not another guess: a site that
keeps trying its old password waits longer each time, but the new one is accepted at once.
"""

import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b

FORGET_SECONDS = 600  # after which a wrong login is forgotten
USERNAME_SHARE = 5  # a client may use a fifth of its guesses for one username
MAX_DELAY = 5.0
MAX_CLIENTS = 10_000
MAX_USERNAME = 64  # characters that are kept; a command can hold 700


@dataclass(slots=True)
class Guesser:
    """The guesses of a client: `guesses` is fingerprint → username, `pending` are those being judged."""

    started_at: float
    guesses: dict[bytes, str] = field(default_factory=dict)
    pending: set[bytes] = field(default_factory=set)
    wrong: Counter[str] = field(default_factory=Counter)


class Guesses:
    """A client (submission.ip.client_of) may guess `limit` times, a fifth of them for one username.

    A guess is counted before it is judged, so that concurrent ones all count.
    """

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic):
        self._limit, self._clock = limit, clock
        self._username_limit = max(1, limit // USERNAME_SHARE)
        self._clients: OrderedDict[str, Guesser] = OrderedDict()
        self._salt = secrets.token_bytes(16)

    def admit(self, client: str, username: str, password: str) -> bool:
        """Count a login before it is judged; False if it must not be judged."""
        guesser, guess = self._client(client), self._fingerprint(username, password)
        username = username[:MAX_USERNAME]
        if guess in guesser.guesses:
            return True
        of_username = sum(name == username for name in guesser.guesses.values())
        # Without pending ones, which may be right: many sites of one client must not stop each other.
        counted = len(guesser.guesses) - len(guesser.pending)
        if counted >= self._limit or of_username >= self._username_limit:
            return False
        guesser.guesses[guess] = username
        guesser.pending.add(guess)
        return True

    def record_refusal(self, client: str, username: str, password: str) -> float:
        """Count a refused login; return how many seconds its reply must wait."""
        guesser = self._client(client)
        guesser.pending.discard(self._fingerprint(username, password))
        username = username[:MAX_USERNAME]
        guesser.wrong[username] += 1
        over = guesser.wrong[username] - self._username_limit // 2
        return min(MAX_DELAY, 0.1 * 2 ** min(over, 10)) if over > 0 else 0.0

    def record_success(self, client: str, username: str) -> None:
        """Forget the wrong logins of this username after an accepted one."""
        guesser = self._client(client)
        for guess in [guess for guess, name in guesser.guesses.items() if name == username]:
            del guesser.guesses[guess]
            guesser.pending.discard(guess)
        del guesser.wrong[username]
        if not guesser.guesses:
            del self._clients[client]

    def withdraw(self, client: str, username: str, password: str) -> None:
        """Forget a login that could not be judged."""
        guesser, guess = self._client(client), self._fingerprint(username, password)
        if guess in guesser.pending:
            guesser.pending.remove(guess)
            del guesser.guesses[guess]

    def _client(self, name: str) -> Guesser:
        guesser, now = self._clients.get(name), self._clock()
        if guesser is None or now - guesser.started_at >= FORGET_SECONDS:
            guesser = self._clients[name] = Guesser(now)
            self._clients.move_to_end(name)
            if len(self._clients) > MAX_CLIENTS:
                self._clients.popitem(last=False)
        return guesser

    def _fingerprint(self, username: str, password: str) -> bytes:
        """A key that identifies a login without revealing it."""
        text = f"{username}\0{password}".encode(errors="surrogatepass")
        return blake2b(text, key=self._salt, digest_size=16).digest()
