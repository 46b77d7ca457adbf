"""`python -m sendlayer.start`: what `make run` does once everything is installed.

One process, so that Django starts once: keys, settings check, migrations, the demo. It
then becomes honcho, which runs the Procfile, and says where to go once both ports answer.
"""

import io
import os
import socket
import sys
import time
from pathlib import Path

from sendlayer import firstrun
from sendlayer.environment import env

READY_SECONDS = 30
EX_UNAVAILABLE = 69  # sysexits.h

READY = """
  SendLayer is running.

    Dashboard  {url}
               {sign_in}
    SMTP       {smtp} (STARTTLS)
    Data       {var_dir}
    Stop       Ctrl-C

"""


def main() -> int:
    if code := firstrun.main():
        return code
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sendlayer.settings")
    port = env.port("PORT", default=8000)
    web, smtp = _addresses(port)
    for name, (host, number) in {"PORT": web, "SMTP_PORT": smtp}.items():
        if not _is_free(host, number):
            sys.stderr.write(f"{host}:{number} is in use. Give another port: make run {name}=…\n")
            return EX_UNAVAILABLE
    import sendlayer.wsgi  # noqa: F401  (sets Django up; exits on settings that can't be trusted)

    sign_in = _prepare()
    _say_when_ready(web, smtp, sign_in)
    for name in ("DEMO_PASSWORD", "MAKEFLAGS", "MAKEOVERRIDES"):  # make's copies hold the password too
        os.environ.pop(name, None)
    # honcho and what the Procfile names lie beside this Python.
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    # The first process of the Procfile, web, gets this very port as its PORT.
    os.execvp("honcho", ["honcho", "start", "-p", str(port)])  # noqa: S606, S607


def _addresses(port):
    from django.conf import settings

    host, _, number = env.str("WEB_BIND", default=f"127.0.0.1:{port}").rpartition(":")
    return (host.strip("[]"), int(number)), (settings.SUBMISSION_ADDRESS, settings.SUBMISSION_PORT)


def _prepare() -> str:
    """Bring the database up to date and make the demo; return how to sign in."""
    from django.core.management import call_command

    from accounts.models import User
    from domains.management.commands import demo
    from web.startup import close_connections

    call_command("migrate", interactive=False, verbosity=0)
    said = io.StringIO()
    # Where the demo's owner was removed on purpose, none comes back.
    if User.objects.filter(email=demo.EMAIL).exists() or not User.objects.exists():
        call_command("demo", stdout=said)
    close_connections()
    return said.getvalue().strip() or "Sign in with your own e-mail and password."


def _say_when_ready(web, smtp, sign_in):
    """Leave a process behind that says, below the servers' first lines, where to go."""
    from django.conf import settings

    starter = os.getpid()
    if os.fork():
        os.wait()
        return
    if os.fork():
        os._exit(0)  # its child is nobody's then, and leaves no zombie
    deadline = time.monotonic() + READY_SECONDS
    while any(_is_free(*address) for address in (web, smtp)):
        if time.monotonic() > deadline or not _is_alive(starter):
            os._exit(1)
        time.sleep(0.1)
    text = READY.format(
        url="http://{}:{}/".format(*web), sign_in=sign_in, smtp="{}:{}".format(*smtp), var_dir=settings.VAR_DIR
    )
    os.write(sys.stdout.fileno(), text.encode())
    os._exit(0)


def _is_free(host: str, port: int) -> bool:
    """Whether nobody listens there. It tries to bind: a connection would be logged as a client's."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return False
    return True


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
