"""`python -m sendlayer.start`: prepare and run everything for `make run`.

Keys, settings check, migrations and demo run in one process, so that Django starts once. It then becomes
honcho, which runs the Procfile, and prints the addresses once both ports answer.
"""

import errno
import io
import os
import socket
import sys
import time
from itertools import product
from pathlib import Path

from gunicorn.util import parse_address

from sendlayer import firstrun
from sendlayer.environment import env, refuse

READY_SECONDS = 30
EX_UNAVAILABLE = 69  # sysexits.h
PROTOCOLS = {"SMTP_PORT": "STARTTLS", "SMTP_TLS_PORT": "TLS"}

READY = """
  SendLayer is running.

    Dashboard  {url}
               {sign_in}
    SMTP       {smtp}
    Data       {var_dir}
    Stop       Ctrl-C

"""


def main() -> int:
    if code := firstrun.main():
        return code
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sendlayer.settings")
    port = env.port("PORT", default=8000)
    addresses = _addresses(port)
    for name, host, number in addresses:
        if error := _bind_error(host, number):
            hint = f"is in use. Choose another port: make run {name}=…"
            other = f"can't be used: {error.strerror}."
            sys.stderr.write(f"{host}:{number} {hint if error.errno == errno.EADDRINUSE else other}\n")
            return EX_UNAVAILABLE
    import sendlayer.wsgi  # noqa: F401  (sets Django up; exits on unsafe settings)

    sign_in = _prepare()
    _announce_when_ready(addresses, sign_in)
    for name in ("DEMO_PASSWORD", "MAKEFLAGS", "MAKEOVERRIDES"):  # make's copies contain the password too
        os.environ.pop(name, None)
    # honcho and the programs of the Procfile are installed beside this Python.
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    # honcho gives this port to the first process of the Procfile, web, as PORT.
    os.execvp("honcho", ["honcho", "start", "-p", str(port)])  # noqa: S606, S607


def _addresses(port) -> list[tuple[str, str, int]]:
    """Return where everything listens, the dashboard first: setting of the port, address, port.

    The dashboard is left out if it listens on a Unix socket.
    """
    from django.conf import settings

    try:
        bind = parse_address(env.str("WEB_BIND", default=f"127.0.0.1:{port}"), default_port=str(port))
    except RuntimeError:
        refuse("WEB_BIND", "is not an address.", "Set it to host:port, or to unix: and the path of a socket.")
    ports = {"SMTP_PORT": settings.SUBMISSION_PORT, "SMTP_TLS_PORT": settings.SUBMISSION_TLS_PORT}
    smtp = product(settings.SUBMISSION_ADDRESS, (item for item in ports.items() if item[1]))
    web = [("PORT", *bind)] if isinstance(bind, tuple) else []
    return [*web, *((name, host, number) for host, (name, number) in smtp)]


def _prepare() -> str:
    """Migrate the database and make the demo; return how to sign in."""
    from django.core.management import call_command

    from accounts.models import User
    from domains.management.commands import demo
    from web.startup import close_connections

    call_command("migrate", interactive=False, verbosity=0)
    output = io.StringIO()
    # A demo owner who was removed on purpose does not come back.
    if User.objects.filter(email=demo.EMAIL).exists() or not User.objects.exists():
        call_command("demo", stdout=output)
    close_connections()
    return output.getvalue().strip() or "Sign in with your own e-mail and password."


def _announce_when_ready(addresses, sign_in):
    """Fork a process that prints the addresses below the servers' first lines."""
    from django.conf import settings

    starter = os.getpid()
    if os.fork():
        os.wait()
        return
    if os.fork():
        os._exit(0)  # init adopts the child, so that no zombie remains
    deadline = time.monotonic() + READY_SECONDS
    while not all(_bind_error(host, number) for _name, host, number in addresses):
        if time.monotonic() > deadline or not _is_alive(starter):
            os._exit(1)
        time.sleep(0.1)
    web = [f"http://{host}:{number}/" for name, host, number in addresses if name == "PORT"]
    smtp = [address for address in addresses if address[0] != "PORT"]
    text = READY.format(
        url=web[0] if web else settings.DASHBOARD_URL,
        sign_in=sign_in,
        smtp=", ".join(f"{host}:{number} ({PROTOCOLS[name]})" for name, host, number in smtp),
        var_dir=settings.VAR_DIR,
    )
    os.write(sys.stdout.fileno(), text.encode())
    os._exit(0)


def _bind_error(host: str, port: int) -> OSError | None:
    """Return why nothing more can listen there. Binds, because a connection would be logged as a client's."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
