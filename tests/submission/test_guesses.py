"""Guessing of logins is slowed down and then stopped, without effect on other clients."""

import threading
import time

import pytest

from submission.listener.throttle import FORGET_SECONDS, MAX_CLIENTS, MAX_DELAY, MAX_USERNAME, Guesses
from tests.factories import make_credential, password_of
from tests.submission.clients import auth_plain, closed

TOO_MANY = (421, b"4.7.0 Too many wrong logins, try again later")


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guesses(clock):
    """A client may guess 10 times, 2 of it one username."""
    return Guesses(10, clock=clock)


def wrong(guesses, client="a", username="one", password="x"):
    """Whether a wrong login is judged."""
    taken = guesses.admit(client, username, password)
    if taken:
        guesses.record_refusal(client, username, password)
    return taken


class TestGuesses:
    def test_one_username_gets_a_fifth_of_a_clients_guesses(self, guesses):
        assert [wrong(guesses, password=str(n)) for n in range(3)] == [True, True, False]
        assert wrong(guesses, username="two")
        assert wrong(guesses, client="b")

    def test_many_usernames_give_a_client_no_more_guesses(self, guesses):
        assert [wrong(guesses, username=str(n)) for n in range(12)] == [True] * 10 + [False] * 2
        assert wrong(guesses, client="b", username="0")

    def test_repeated_wrong_login_is_delayed_but_not_counted_again(self, guesses):
        delays = []
        for _ in range(20):
            assert guesses.admit("a", "one", "old")
            delays.append(guesses.record_refusal("a", "one", "old"))
        assert delays[0] == 0 < delays[2] < delays[4] < delays[-1] == MAX_DELAY
        assert guesses.admit("a", "one", "the right one")

    def test_concurrent_guesses_count_before_they_are_judged(self, guesses):
        assert [guesses.admit("a", "one", str(n)) for n in range(3)] == [True, True, False]

    def test_many_correct_logins_of_one_client_are_admitted_at_once(self, guesses):
        assert all(guesses.admit("a", str(n), "right") for n in range(50))
        for n in range(50):
            guesses.record_success("a", str(n))
        assert not guesses._clients

    def test_correct_login_clears_the_guesses_of_its_username_only(self, guesses):
        for name in ("one", "two"):
            assert wrong(guesses, username=name, password="1")
        assert guesses.admit("a", "one", "right")
        guesses.record_success("a", "one")
        assert [wrong(guesses, password=str(n)) for n in range(3)] == [True, True, False]
        assert [wrong(guesses, username="two", password=str(n)) for n in range(1, 4)] == [True, True, False]

    def test_withdrawn_login_is_no_guess(self, guesses):
        for n in range(20):
            assert guesses.admit("a", "one", str(n))
            guesses.withdraw("a", "one", str(n))

    def test_guesses_are_forgotten_after_their_time(self, guesses, clock):
        assert [wrong(guesses, password=str(n)) for n in range(3)][-1] is False
        clock.now += FORGET_SECONDS
        assert wrong(guesses)

    def test_number_of_clients_is_bounded_and_no_password_is_kept(self, guesses):
        for n in range(MAX_CLIENTS + 10):
            wrong(guesses, client=str(n), password="sl_secret")
        assert len(guesses._clients) == MAX_CLIENTS
        assert "sl_secret" not in repr(guesses._clients["100"])

    def test_long_username_is_shortened_and_counted(self, guesses):
        long = "x" * 700
        assert [wrong(guesses, username=long, password=str(n)) for n in range(3)] == [True, True, False]
        assert max(map(len, guesses._clients["a"].guesses.values())) == MAX_USERNAME
        assert max(map(len, guesses._clients["a"].wrong)) == MAX_USERNAME


@pytest.fixture(scope="module")
def strict(start_listener):
    """A listener where one address may guess 10 times."""
    with start_listener(SUBMISSION_MAX_WRONG_LOGINS_PER_IP="10") as listener:
        yield listener


def attempt(listener, username, password, source):
    smtp = listener.secure(source=source)
    try:
        return auth_plain(smtp, username, password)
    finally:
        smtp.close()  # many from one address at the same time would be too many connections


def is_prompt(listener, credential, source) -> bool:
    """Whether a right login is answered without delay: on a busy machine, at the best of several tries."""
    for _ in range(5):
        start = time.monotonic()
        assert attempt(listener, credential.username, password_of(credential), source)[0] == 235
        if time.monotonic() - start < 1:
            return True
    return False


@pytest.mark.django_db(transaction=True)
class TestTheListener:
    def test_guessing_client_is_refused_while_the_site_still_logs_in(self, strict, credential):
        stop, seen = threading.Event(), []

        def attack():
            number = 0
            while not stop.is_set():
                seen.append(attempt(strict, credential.username, f"guess-{number}", "127.0.6.1"))
                number += 1

        attacker = threading.Thread(target=attack)
        attacker.start()
        try:
            while len(seen) < 8:
                assert is_prompt(strict, credential, "127.0.6.2")
        finally:
            stop.set()
            attacker.join()
        assert [reply[0] for reply in seen[:3]] == [535, 535, 421] and set(seen[2:]) == {TOO_MANY}

    def test_too_many_guesses_end_the_connection_and_are_logged(self, strict, credential):
        for number in range(2):
            assert attempt(strict, credential.username, str(number), "127.0.6.3")[0] == 535
        smtp = strict.secure(source="127.0.6.3")
        assert auth_plain(smtp, credential.username, password_of(credential)) == TOO_MANY
        assert closed(smtp)
        assert f"username={credential.username} peer=127.0.6.3 outcome=too_many" in strict.log.read_text()

    def test_site_with_old_password_can_log_in_with_the_new_one(self, strict, domain):
        old, neighbour = make_credential(domain), make_credential(domain)
        for _ in range(5):
            start = time.monotonic()
            assert attempt(strict, old.username, "the-old-password", "127.0.6.4")[0] == 535
        assert time.monotonic() - start > 0.5
        for credential in (neighbour, old):
            assert is_prompt(strict, credential, "127.0.6.4")

    def test_many_usernames_count_as_guesses_of_one_address(self, strict, credential):
        replies = [attempt(strict, f"{n:032X}", "x", "127.0.6.5")[0] for n in range(12)]
        assert replies == [535] * 10 + [421] * 2
        assert attempt(strict, credential.username, password_of(credential), "127.0.6.6")[0] == 235
