"""`make bench-mail`: logins at real Postfix and Dovecot, and messages, compared in one run on this machine.

`python -m bench.mail --lease` compares only logins at a hot standby with and without the lease, in two minutes.
"""

import os
import random
import signal
import sys
import time
from contextlib import ExitStack

from bench.mail import auth_socket, sessions
from bench.mail.contenders import (
    CRYPT,
    FLOOR,
    LEASED,
    POSTGRESQL,
    REPORTED,
    SQLITE,
    UNLEASED,
    Contenders,
)
from bench.mail.figures import POSTFIX, SOCKET, Figure, Rates, Wanted, show_rates, show_ratios
from bench.mail.logins import SEED, Refused
from tests.with_postgres import NotThere

FEW = 1_000
MANY = 1_000_000
LOGINS = 2_000  # credentials that clients log in with
ROUNDS = 5
SECONDS = {SOCKET: 3, POSTFIX: 8}
WARM_SECONDS = 0.5
# Reports of this time are written during the measured time, and the last ones after it.
LEAD_SECONDS = 4
# At the socket, logins come faster than their reports are accepted: Dovecot drops reports after 2 s,
# and the rest are written after that, within the 10 s that a client is collected at most.
SETTLE_SECONDS = 12

FIGURES = [
    *(Figure(SOCKET, name, rows) for name in (FLOOR, POSTGRESQL, SQLITE, CRYPT) for rows in (FEW, MANY)),
    Figure(SOCKET, REPORTED, FEW),
    *(Figure(POSTFIX, name, FEW) for name in (FLOOR, POSTGRESQL, SQLITE, REPORTED)),
    Figure(POSTFIX, POSTGRESQL, MANY),
]
WANTED = [
    Wanted(Figure(POSTFIX, POSTGRESQL, FEW), Figure(POSTFIX, FLOOR, FEW), 0.86),
    Wanted(Figure(POSTFIX, REPORTED, FEW), Figure(POSTFIX, FLOOR, FEW), 0.79),
    Wanted(Figure(SOCKET, POSTGRESQL, FEW), Figure(SOCKET, FLOOR, FEW), 0.18),
    Wanted(Figure(SOCKET, POSTGRESQL, FEW), Figure(SOCKET, CRYPT, FEW), 36),
    Wanted(Figure(SOCKET, POSTGRESQL, MANY), Figure(SOCKET, POSTGRESQL, FEW), 0.945),
    Wanted(Figure(SOCKET, SQLITE, MANY), Figure(SOCKET, SQLITE, FEW), 0.75),
]

OF_LEASE = [Figure(SOCKET, name, FEW) for name in (UNLEASED, LEASED, POSTGRESQL)]
LEASE_WANTED = [Wanted(Figure(SOCKET, LEASED, FEW), Figure(SOCKET, UNLEASED, FEW), 0.85)]


def main():
    # However the program ends, stop the servers and remove their folders.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    try:
        if "--lease" not in sys.argv:
            compare_stores()
        compare_standbys()
    except Refused as error:
        sys.exit(f"bench: a login was refused: {error}")
    except (NotThere, RuntimeError) as error:
        sys.exit(f"bench: {error}")


def compare_stores():
    with ExitStack() as stack:
        contenders = start_contenders(stack)
        rates = measure(contenders, FIGURES)
        used = contenders.used(FEW)
        contenders.measure_messages(FEW)
    for where in (SOCKET, POSTFIX):
        show_rates(where, rates, Figure(where, FLOOR, FEW))
    show_ratios(rates, WANTED)
    print(f"report: last use written for {used:,} of {min(FEW, LOGINS):,} credentials that logged in")


def compare_standbys():
    with ExitStack() as stack:
        contenders = Contenders(stack, LOGINS)
        contenders.add_standby(FEW)
        rates = measure(contenders, OF_LEASE, rounds=15, seconds={SOCKET: 1.5})
    show_rates(SOCKET, rates, OF_LEASE[0])
    show_ratios(rates, LEASE_WANTED)


def start_contenders(stack) -> Contenders:
    contenders = Contenders(stack, LOGINS)
    for rows in (FEW, MANY):
        print(f"Filling the stores with {rows:,} credentials …", flush=True)
        contenders.add(rows)
    contenders.add_reported(FEW)
    os.sync()  # so that none of these writes happens during the rounds
    return contenders


def measure(contenders, figures, rounds=ROUNDS, seconds=SECONDS) -> Rates:
    """Measure in turns, so that other load on the machine affects all alike."""
    rates = {figure: [] for figure in figures}
    chance = random.Random(SEED)  # noqa: S311
    for number in range(rounds + 1):
        print(f"Round {number} of {rounds} …" if number else "Warming up …", flush=True)
        for figure, measured in rates.items():
            if number and figure.name == REPORTED:
                turn(figure, contenders, LEAD_SECONDS, chance)
            rate = turn(figure, contenders, seconds[figure.where] if number else WARM_SECONDS, chance)
            if number:
                measured.append(rate)
            if figure.name == REPORTED:
                time.sleep(SETTLE_SECONDS)
    return rates


def turn(figure, contenders, seconds, chance) -> float:
    """Measure one figure once. Raises Refused, or RuntimeError with the log if a server doesn't answer."""
    server, responses = contenders.ready[figure.name, figure.rows]
    try:
        if figure.where == SOCKET:
            return auth_socket.rate(server.auth_socket, responses, seconds, chance)
        return sessions.rate(server.port, responses, seconds, chance)
    except Refused as error:
        raise Refused(f"{figure}, {figure.where}: {error}") from None
    except OSError as error:
        raise RuntimeError(f"{figure}, {figure.where}: {error}\n{server.log[-2000:]}") from error


if __name__ == "__main__":
    main()
