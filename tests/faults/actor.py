"""A process that adds, resets and deletes credentials without end and reports each act, to be killed.

`python -m tests.faults.actor DOMAIN`: a line `fork` of its input forks a child, whose pid it reports; the child
then writes JSON lines, `begin` before an act and `done` after it. A line `end` is repeated as a report.
"""

import json
import os
import random
import signal
import sys


def main(name):
    import django

    django.setup()
    from web.startup import close_connections

    warm(name)
    close_connections()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if line != "fork\n":
            report(end=True)
            continue
        pid = os.fork()
        if not pid:
            act_forever(name)
        report(forked=pid)


def warm(name):
    """Act once, so that its imports are done before the forks, and roll back."""
    from django.db import transaction

    from audit.actor import Actor
    from domains.models import Domain

    with transaction.atomic():
        credential, _password = Domain.objects.get(name=name).credentials.issue(by=Actor.system("faults"))
        credential.reset_password(by=Actor.system("faults"))
        credential.remove(by=Actor.system("faults"))
        transaction.set_rollback(True)


def act_forever(name):
    """Act on credentials of its own, so that many can be followed concurrently."""
    from audit.actor import Actor
    from domains.models import Domain

    by, domain, chance = Actor.system("faults"), Domain.objects.get(name=name), random.Random()  # noqa: S311
    own = []
    while True:
        act = chance.choice(("add", "add", "reset", "reset", "delete")) if own else "add"
        if act == "add":
            report(begin=act)
            credential, password = domain.credentials.issue(by=by)
            own.append(credential)
            report(done=act, username=credential.username, password=password)
            continue
        credential = chance.choice(own)
        report(begin=act, username=credential.username)
        if act == "reset":
            password = credential.reset_password(by=by)
        else:
            password = credential.remove(by=by)
            own.remove(credential)
        report(done=act, username=credential.username, password=password)


def report(**fields):
    # One write, so that a kill leaves no half line, and lines of many are not mixed.
    os.write(1, json.dumps({"pid": os.getpid()} | fields).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
