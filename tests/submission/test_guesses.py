"""Guessing at logins: slowed down, then stopped, and nobody else feels it."""

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
    def test_a_username_has_a_fifth_of_what_a_client_has(self, guesses):
        assert [wrong(guesses, password=str(n)) for n in range(3)] == [True, True, False]
        assert wrong(guesses, username="two")
        assert wrong(guesses, client="b")

    def test_a_client_has_no_more_by_trying_many_usernames(self, guesses):
        assert [wrong(guesses, username=str(n)) for n in range(12)] == [True] * 10 + [False] * 2
        assert wrong(guesses, client="b", username="0")

    def test_the_same_again_is_no_new_guess_but_waits_longer_each_time(self, guesses):
        delays = []
        for _ in range(20):
            assert guesses.admit("a", "one", "old")
            delays.append(guesses.record_refusal("a", "one", "old"))
        assert delays[0] == 0 < delays[2] < delays[4] < delays[-1] == MAX_DELAY
        assert guesses.admit("a", "one", "the right one")

    def test_those_at_once_count_before_they_are_judged(self, guesses):
        assert [guesses.admit("a", "one", str(n)) for n in range(3)] == [True, True, False]

    def test_many_sites_of_one_client_log_in_at_once(self, guesses):
        assert all(guesses.admit("a", str(n), "right") for n in range(50))
        for n in range(50):
            guesses.record_success("a", str(n))
        assert not guesses._clients

    def test_the_right_one_forgives_the_wrong_ones_of_its_username_only(self, guesses):
        for name in ("one", "two"):
            assert wrong(guesses, username=name, password="1")
        assert guesses.admit("a", "one", "right")
        guesses.record_success("a", "one")
        assert [wrong(guesses, password=str(n)) for n in range(3)] == [True, True, False]
        assert [wrong(guesses, username="two", password=str(n)) for n in range(1, 4)] == [True, True, False]

    def test_what_nobody_could_judge_was_no_guess(self, guesses):
        for n in range(20):
            assert guesses.admit("a", "one", str(n))
            guesses.withdraw("a", "one", str(n))

    def test_it_is_forgotten_after_a_while(self, guesses, clock):
        assert [wrong(guesses, password=str(n)) for n in range(3)][-1] is False
        clock.now += FORGET_SECONDS
        assert wrong(guesses)

    def test_its_memory_is_bounded_and_holds_no_password(self, guesses):
        for n in range(MAX_CLIENTS + 10):
            wrong(guesses, client=str(n), password="sl_secret")
        assert len(guesses._clients) == MAX_CLIENTS
        assert "sl_secret" not in repr(guesses._clients["100"])

    def test_of_a_long_username_little_is_kept_and_it_counts_all_the_same(self, guesses):
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


@pytest.mark.django_db(transaction=True)
class TestTheListener:
    def test_who_guesses_is_sent_away_and_the_site_elsewhere_goes_on(self, strict, credential):
        password, stop, seen = password_of(credential), threading.Event(), []

        def attack():
            number = 0
            while not stop.is_set():
                seen.append(attempt(strict, credential.username, f"guess-{number}", "127.0.6.1"))
                number += 1

        attacker = threading.Thread(target=attack)
        attacker.start()
        try:
            while len(seen) < 8:
                start = time.monotonic()
                assert attempt(strict, credential.username, password, "127.0.6.2")[0] == 235
                assert time.monotonic() - start < 1
        finally:
            stop.set()
            attacker.join()
        assert [reply[0] for reply in seen[:3]] == [535, 535, 421] and set(seen[2:]) == {TOO_MANY}

    def test_it_ends_the_connection_and_is_logged(self, strict, credential):
        for number in range(2):
            assert attempt(strict, credential.username, str(number), "127.0.6.3")[0] == 535
        smtp = strict.secure(source="127.0.6.3")
        assert auth_plain(smtp, credential.username, password_of(credential)) == TOO_MANY
        assert closed(smtp)
        assert f"username={credential.username} peer=127.0.6.3 outcome=too_many" in strict.log.read_text()

    def test_a_site_with_its_old_password_gets_the_new_one_in_and_slows_down_nobody(self, strict, domain):
        old, neighbour = make_credential(domain), make_credential(domain)
        for _ in range(5):
            start = time.monotonic()
            assert attempt(strict, old.username, "the-old-password", "127.0.6.4")[0] == 535
        assert time.monotonic() - start > 0.5
        for credential in (neighbour, old):
            start = time.monotonic()
            assert attempt(strict, credential.username, password_of(credential), "127.0.6.4")[0] == 235
            assert time.monotonic() - start < 1

    def test_many_usernames_are_guesses_of_one_address(self, strict, credential):
        replies = [attempt(strict, f"{n:032X}", "x", "127.0.6.5")[0] for n in range(12)]
        assert replies == [535] * 10 + [421] * 2
        assert attempt(strict, credential.username, password_of(credential), "127.0.6.6")[0] == 235
