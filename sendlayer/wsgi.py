"""The WSGI application. It refuses to start, naming the check, on settings it cannot trust."""

import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sendlayer.settings")

application = get_wsgi_application()


def _refuse_unsafe_start() -> None:
    from django.core.checks import run_checks

    from sendlayer.checks import EX_CONFIG, START, close_connections

    errors = [message for message in run_checks(tags=[START]) if message.is_serious()]
    close_connections()
    if errors:
        sys.stderr.write("SendLayer does not start:\n" + "\n".join(map(str, errors)) + "\n")
        raise SystemExit(EX_CONFIG)


_refuse_unsafe_start()
