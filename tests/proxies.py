"""Real proxies under the configuration of deploy/, each a process of its own on free loopback ports."""

import re
import shutil
import ssl
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import ROOT, free_port, running

NAME = "mail.example.com"  # as deploy/ has it
NGINX = """\
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit;
events {{ worker_connections 768; }}  # as Debian has it
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/sendlayer.conf;
}}
"""


@dataclass(frozen=True)
class Proxy:
    https: int
    http: int
    tls: ssl.SSLContext


@contextmanager
def nginx(folder, dashboard, **changes):
    """Run nginx before `dashboard` (`127.0.0.1:port`, `unix:path`) until the block ends; yield a Proxy.

    `changes` are further pieces of the shipped file by name → (piece, what stands there instead).
    """
    proxy = Proxy(free_port(), free_port(), _certificate(folder))
    replaced = {
        "    listen 80;\n    listen [::]:80;": f"    listen 127.0.0.1:{proxy.http};",
        "    listen 443 ssl;\n    listen [::]:443 ssl;": f"    listen 127.0.0.1:{proxy.https} ssl;",
        f"/etc/letsencrypt/live/{NAME}/fullchain.pem": f"{folder}/tls.crt",
        f"/etc/letsencrypt/live/{NAME}/privkey.pem": f"{folder}/tls.key",
        "/var/log/nginx/sendlayer.log": f"{folder}/nginx.log",
    } | dict(changes.values())
    if dashboard:
        replaced["server 127.0.0.1:8000;"] = f"server {dashboard};"
    _copy(ROOT / "deploy/nginx/sendlayer.conf", folder / "sendlayer.conf", replaced)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    program = _program("nginx", "nginx-light")
    command = ["-p", str(folder), "-c", str(folder / "nginx.conf")]
    with running(command, port=proxy.https, log=folder / "nginx.out", program=program):
        yield proxy


@contextmanager
def nginx_of_nodes(folder, *dashboards):
    """Run nginx before several web nodes, each `127.0.0.1:port`, until the block ends; yield a Proxy."""
    upstream = re.compile(r"^upstream sendlayer {\n.*?^}\n", re.M | re.S)
    alone = upstream.search((ROOT / "deploy/nginx/sendlayer.conf").read_text())[0]
    several = upstream.search((ROOT / "deploy/cluster/web-proxy.conf").read_text())[0]
    for number, dashboard in enumerate(dashboards, start=21):
        several = several.replace(f"192.0.2.{number}:8000", dashboard)
    with nginx(folder, None, nodes=(alone, several)) as proxy:
        yield proxy


@contextmanager
def caddy(folder, dashboard):
    """The same with Caddy."""
    proxy = Proxy(free_port(), free_port(), _certificate(folder))
    replaced = {
        "{\n\tservers {": f"{{\n\tadmin off\n\thttp_port {proxy.http}\n\tdefault_bind 127.0.0.1\n\tservers {{",
        f"\n{NAME} {{": f"\n{NAME}:{proxy.https} {{\n\ttls {folder}/tls.crt {folder}/tls.key",
        "reverse_proxy 127.0.0.1:8000": f"reverse_proxy {dashboard}",
    }
    _copy(ROOT / "deploy/caddy/Caddyfile", folder / "Caddyfile", replaced)
    command = ["run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    home = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with running(
        command, port=proxy.https, log=folder / "caddy.out", program=_program("caddy", "caddy"), **home
    ):
        yield proxy


def _copy(source: Path, target: Path, replaced):
    text = source.read_text()
    for old, new in replaced.items():
        assert old in text, f"{old} is not in {source}"
        text = text.replace(old, new)
    target.write_text(text)


def _certificate(folder) -> ssl.SSLContext:
    """Make a self-signed pair in the folder; return what trusts it."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
    command += ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-days", "7"]
    pair = ["-keyout", folder / "tls.key", "-out", folder / "tls.crt"]
    subprocess.run([*command, *pair], check=True, capture_output=True)
    return ssl.create_default_context(cafile=folder / "tls.crt")


def _program(name, package):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    assert path, f"{name} is not installed: apt-get install {package}"
    return path
