"""A process that adds, resets and deletes credentials without end, and tells what it does, to be killed.

`python -m tests.faults.actor DOMAIN`: a line `fork` of its input forks one, whose pid it tells; the child
then writes JSON lines, `begin` before an act and `done` after it. A line `end` is told back.
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
            tell(end=True)
            continue
        pid = os.fork()
        if not pid:
            act_for_ever(name)
        tell(forked=pid)


def warm(name):
    """Act once, so that what the first act imports is there before the forks, and take it back."""
    from django.db import transaction

    from audit.actor import Actor
    from domains.models import Domain

    with transaction.atomic():
        credential, _password = Domain.objects.get(name=name).credentials.issue(by=Actor.system("faults"))
        credential.reset_password(by=Actor.system("faults"))
        credential.remove(by=Actor.system("faults"))
        transaction.set_rollback(True)


def act_for_ever(name):
    """Act on credentials of its own, so that many can be followed side by side."""
    from audit.actor import Actor
    from domains.models import Domain

    by, domain, chance = Actor.system("faults"), Domain.objects.get(name=name), random.Random()  # noqa: S311
    own = []
    while True:
        act = chance.choice(("add", "add", "reset", "reset", "delete")) if own else "add"
        if act == "add":
            tell(begin=act)
            credential, password = domain.credentials.issue(by=by)
            own.append(credential)
            tell(done=act, username=credential.username, password=password)
            continue
        credential = chance.choice(own)
        tell(begin=act, username=credential.username)
        if act == "reset":
            password = credential.reset_password(by=by)
        else:
            password = credential.remove(by=by)
            own.remove(credential)
        tell(done=act, username=credential.username, password=password)


def tell(**what):
    # One write, so that a kill leaves no half line, and lines of many are not mixed.
    os.write(1, json.dumps({"pid": os.getpid()} | what).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
