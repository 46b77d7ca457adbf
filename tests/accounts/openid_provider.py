"""A small real OpenID provider on loopback: discovery, a page to sign in at, codes with PKCE, signed tokens.

It answers by the standards and refuses what a real provider would; attributes of `Provider` make it misbehave.
"""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers import free_port

CLIENT_ID, CLIENT_SECRET = "sendlayer", "the-client's-secret"
PERSON = {"sub": "person-1", "email": "alice@example.com", "email_verified": True, "name": "Alice Archer"}
PAGE = (
    '<!doctype html><html lang="en"><title>Provider</title><h1>Sign in to Provider</h1>'
    '<form method="post" action="/authorize?{query}"><button name="answer" value="allow">Allow</button>'
    '<button name="answer" value="deny">Deny</button></form></html>'
)


@cache
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    """State of the provider, and how it misbehaves."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.person = dict(PERSON)
        self.claims = {}  # replace those of the ID token; None removes one
        self.config = {}  # replaces parts of the discovery document
        self.userinfo = {}  # replaces parts of the userinfo
        self.answers = {}  # path → bytes to answer with
        self.sign = lambda claims: jwt.encode(claims, key(), "RS256")
        self.moved = ""  # a path that redirects to /moved
        self.codes = {}
        self.seen = []  # the queries of /authorize
        self.tokens = []  # issued tokens, which must not be stored

    def discovery(self):
        endpoints = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "jwks",
            "userinfo_endpoint": "userinfo",
        }
        urls = {name: f"{self.issuer}/{path}" for name, path in endpoints.items()}
        return {"issuer": self.issuer, **urls, **self.config}

    def decide(self, query, answer) -> str:
        """Return where the provider redirects the browser."""
        assert query["client_id"] == CLIENT_ID and query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256" and "openid" in query["scope"].split()
        if answer == "deny":
            back = {"error": "access_denied"}
        else:
            back = {"code": secrets.token_urlsafe(16)}
            self.codes[back["code"]] = query
        return f"{query['redirect_uri']}?{urlencode(back | {'state': query['state']})}"

    def redeem(self, form, authorization) -> dict | None:
        """Return the tokens for a code, once; None for a wrong code, secret, verifier or redirect URI."""
        query = self.codes.pop(form.get("code"), None)
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            query is None
            or authorization != f"Basic {basic}"
            or base64.urlsafe_b64encode(challenge).decode().rstrip("=") != query["code_challenge"]
            or form["redirect_uri"] != query["redirect_uri"]
        ):
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": query["nonce"]}
        claims |= self.person | self.claims
        id_token = self.sign({name: value for name, value in claims.items() if value is not None})
        access_token = secrets.token_urlsafe(32)
        self.tokens += [id_token, access_token]
        return {"access_token": access_token, "token_type": "Bearer", "expires_in": 300, "id_token": id_token}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path, query = self._target()
        provider = self.server.provider
        if path in provider.answers:
            self._answer(200, provider.answers[path])
        elif path == "/.well-known/openid-configuration":
            self._json(provider.discovery())
        elif path == "/userinfo" and self.headers["Authorization"][7:] in provider.tokens:
            self._json(provider.person | provider.userinfo)
        elif path == "/authorize":
            provider.seen.append(query)
            self._answer(200, PAGE.format(query=html.escape(urlencode(query))).encode(), "text/html")
        else:
            self._answer(404)

    def do_POST(self):
        path, query = self._target()
        provider = self.server.provider
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if path in provider.answers:
            self._answer(200, provider.answers[path])
        elif path == provider.moved:
            self._answer(307, location=self.path.replace(path, f"/moved{path}"))
        elif path == "/authorize":
            self._answer(302, location=provider.decide(query, form["answer"]))
        elif path.endswith("/token") and (tokens := provider.redeem(form, self.headers["Authorization"])):
            self._json(tokens)
        else:
            self._json({"error": "invalid_grant"}, 400)

    def _target(self):
        parts = urlsplit(self.path)
        return parts.path, dict(parse_qsl(parts.query))

    def _json(self, value, status=200):
        self._answer(status, json.dumps(value).encode())

    def _answer(self, status, body=b"", kind="application/json", location=""):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def serving():
    """Run a provider until the block ends; yield its Provider."""
    with ThreadingHTTPServer(("127.0.0.1", free_port()), Handler) as server:
        server.provider = Provider(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.provider
        finally:
            server.shutdown()
            thread.join()
