"""gunicorn's settings: `gunicorn sendlayer.wsgi` from the project's root."""

import gc
import os

from gunicorn.glogging import Logger

from sendlayer.environment import env, load
from web.client_ip import client
from web.logs import LONGEST_REFUSAL, Json, one_line, without_keys

load()

bind = env.str("WEB_BIND", default=f"127.0.0.1:{os.environ.get('PORT', '8000')}")
worker_class = "sendlayer.gunicorn_worker.Worker"
workers = env.int("WEB_WORKERS", default=2)
threads = env.int("WEB_THREADS", default=4)
# Loaded once in the master: a refused start is one message, not one a worker.
preload_app = True
keepalive = 5  # seconds; longer than those of deploy/nginx and deploy/caddy
timeout = 30
# Who forwards what is decided in one place, web/client_ip.py: gunicorn takes no header of any proxy. By
# default it would take SCRIPT_NAME, which some proxies hand on from their clients.
forwarded_allow_ips = ""
secure_scheme_headers = {}
forwarder_headers = ""
accesslog = env.str("ACCESS_LOG", default="-")
os.umask(0o077)  # whoever reads along in it sees addresses, and who did what when
# Path without query: nothing a user typed into a search stays in the log.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms %({x-request-id}o)s'
# A second way in, in the home folder of whoever starts it, that nothing here uses.
control_socket_disable = True


def when_ready(server):
    _erase_what_is_due()
    # What is loaded by now stays: the workers' garbage collector need not walk through it,
    # nor copy the pages that they share with the master.
    gc.collect()
    gc.freeze()


def _erase_what_is_due():
    """Once a start, in the master: where no timer runs `manage.py tidy`, secrets go here at the latest."""
    from credentials.models.deleted import erase_due_at_start
    from web.startup import close_connections

    erase_due_at_start()
    close_connections()


def post_fork(server, worker):
    # A page makes some ten thousand short-lived objects: with Python's default of 700 the
    # collector runs dozens of times within one, and finds nothing.
    gc.set_threshold(20_000, 50, 100)


class AccessLogger(Logger):
    """The usual logs, as JSON where LOG_FORMAT says so, and no keys of mailed links in the paths.

    The path is decoded here: a line end in it would begin a line of the client's own.
    """

    def setup(self, cfg):
        super().setup(cfg)
        if env.str("LOG_FORMAT", default="line") == "json":
            for handler in (*self.error_log.handlers, *self.access_log.handlers):
                handler.setFormatter(Json())

    def atoms(self, *args):
        atoms = super().atoms(*args)
        environ = args[2]
        # A request that gunicorn refuses has no path yet.
        atoms["U"] = one_line(without_keys(atoms["U"] or environ.get("RAW_URI", "").partition("?")[0]))
        atoms["h"] = client(environ).ip or "-"
        return atoms

    def warning(self, msg, *args, **kwargs):
        """Of what gunicorn refuses it logs as much as the client sent: a piece of it is enough."""
        super().warning(msg if len(msg) <= LONGEST_REFUSAL else f"{msg[:LONGEST_REFUSAL]}…", *args, **kwargs)


logger_class = AccessLogger
