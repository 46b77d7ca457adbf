"""The WSGI application. It refuses to start with unsafe settings and names the failed check.

With missing or wrong keys it starts sealed (vault/sealed_mode.py).
"""

import os
import sys

from django.core.wsgi import get_wsgi_application

from web.header_limits import bounded
from web.middleware import Request

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sendlayer.settings")

handler = get_wsgi_application()
handler.request_class = Request
application = bounded(handler)


def _refuse_unsafe_start() -> None:
    from django.core.checks import run_checks

    from vault import sealed_mode
    from vault.checks import KEYS_HINT
    from web.startup import START, close_connections

    errors = [message for message in run_checks(tags=[START]) if message.is_serious()]
    if not errors and (problem := sealed_mode.check()):
        sys.stderr.write(f"SendLayer starts sealed: {problem}.\n{KEYS_HINT}\n")
    close_connections()
    if errors:
        sys.stderr.write("SendLayer does not start:\n" + "\n".join(map(str, errors)) + "\n")
        raise SystemExit(os.EX_CONFIG)


_refuse_unsafe_start()
