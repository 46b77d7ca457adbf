"""gunicorn's settings: `gunicorn sendlayer.wsgi` from the project's root."""

import gc
import os

from gunicorn.glogging import Logger

from sendlayer.environment import env, load
from web.client_ip import client
from web.logs import LONGEST_REFUSAL, Json, one_line, without_keys

load()

bind = env.str("WEB_BIND", default=f"127.0.0.1:{os.environ.get('PORT', '8000')}")
# A slow client holds a thread for as long as it likes: gunicorn needs a buffering proxy in front of it.
worker_class = "gthread"
workers = env.int("WEB_WORKERS", default=2)
threads = env.int("WEB_THREADS", default=4)
# Loaded once, in the master: a refused start gives one message, not one per worker.
preload_app = True
keepalive = 5  # seconds; longer than in deploy/nginx and deploy/caddy
# web/client_ip.py alone reads what a proxy forwards. gunicorn would also believe a client's SCRIPT_NAME,
# which some proxies pass on.
secure_scheme_headers = {}
forwarder_headers = ""
accesslog = env.str("ACCESS_LOG", default="-")
os.umask(0o077)  # the access log holds addresses, and who did what when
# The path without its query, which holds what users search for.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms %({x-request-id}o)s'
# A socket in the home folder that nothing here uses.
control_socket_disable = True


def when_ready(server):
    """Erase secrets that are due, where no timer runs `manage.py tidy`, and set the garbage collector."""
    from credentials.models.deleted import erase_due_at_start
    from web.startup import close_connections

    erase_due_at_start()
    close_connections()
    # Workers share the master's pages as long as their collector leaves alone what is loaded by now.
    gc.collect()
    gc.freeze()
    # A page makes some 10,000 short-lived objects: the default of 700 would collect dozens of times in vain.
    gc.set_threshold(20_000, 50, 100)


class AccessLogger(Logger):
    """gunicorn's logs: in JSON where LOG_FORMAT says so, without the keys of mailed links."""

    def setup(self, cfg):
        super().setup(cfg)
        if env.str("LOG_FORMAT", default="line") == "json":
            for handler in (*self.error_log.handlers, *self.access_log.handlers):
                handler.setFormatter(Json())

    def atoms(self, *args):
        atoms = super().atoms(*args)
        environ = args[2]
        # gunicorn decodes the path, so a line end in it would start a line of the client's own. A request
        # that gunicorn refuses has no path yet.
        atoms["U"] = one_line(without_keys(atoms["U"] or environ.get("RAW_URI", "").partition("?")[0]))
        atoms["h"] = client(environ).ip or "-"
        return atoms

    def warning(self, msg, *args, **kwargs):
        """Cut the message of a refused request, in which gunicorn repeats what the client sent."""
        super().warning(msg if len(msg) <= LONGEST_REFUSAL else f"{msg[:LONGEST_REFUSAL]}…", *args, **kwargs)


logger_class = AccessLogger
