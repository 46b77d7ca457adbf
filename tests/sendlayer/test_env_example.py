""".env.example documents every setting with its real default."""

import re
from math import prod

from tests.servers import ROOT

SOURCES = [
    "sendlayer/settings.py",
    "sendlayer/environment.py",
    "sendlayer/start.py",
    "gunicorn.conf.py",
]
NOT_READ_THERE = {"DEMO_PASSWORD"}  # read by the command `demo`


def documented():
    lines = re.findall(r"^#([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.M)
    assert len(dict(lines)) == len(lines)
    return dict(lines)


def test_env_example_documents_exactly_the_existing_settings():
    text = "".join((ROOT / source).read_text() for source in SOURCES)
    read = set(re.findall(r'(?:env(?:\.\w+)?|secret)\(\s*"([A-Z_]+)"', text))
    assert set(documented()) == read | NOT_READ_THERE
    assert all(name in (ROOT / "domains/management/commands/demo.py").read_text() for name in NOT_READ_THERE)


def test_env_example_marks_secrets_that_a_file_may_contain():
    text = (ROOT / ".env.example").read_text()
    marked = set(re.findall(r"^# \(secret\)[^=]*?\n(?:# .*\n)*#([A-Z_]+)=", text, re.M))
    # Every URL may hold a password (Env._url).
    read = r'(?:secret|env\.(?:db|cache_url|email_url))\("(\w+)"'
    assert marked == set(re.findall(read, (ROOT / "sendlayer/settings.py").read_text()))


def test_env_example_shows_the_real_defaults():
    text = "".join((ROOT / source).read_text() for source in SOURCES)
    numbers = re.findall(r'env\.int\(\s*"([A-Z_]+)", default=([0-9 *]+)\)', text)
    switches = re.findall(r'env\.bool\(\s*"([A-Z_]+)", default=(True|False)\)', text)
    assert numbers and switches
    for name, default in numbers:
        assert documented()[name] == str(prod(map(int, default.split("*"))))
    for name, default in switches:
        assert documented()[name] == {"True": "yes", "False": "no"}[default]
