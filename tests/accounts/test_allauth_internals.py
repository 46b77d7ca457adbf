"""The private parts of django-allauth that this project relies on, and the release they were read in."""

import re
from importlib.metadata import version
from inspect import signature

import pytest

from accounts import allauth_internals
from tests.servers import ROOT

pytestmark = pytest.mark.one_database

PARAMETERS = {
    "complete_authentication": {"user", "response"},
    "consume": {"request", "app", "action", "config", "key"},
    "extract_user_from_response": {"response"},
    "perform_password_login": {"request", "credentials", "login"},
    "send_verification_email_to_address": {"request", "address"},
    "suspend_request": {"request", "redirect_to"},
    "truncate_ip": {"ip"},
}
KEYS = {"SUSPENDED_REQUEST_KEY", "TOTP_SECRET_KEY"}


def test_installed_allauth_is_the_release_that_the_internals_were_read_in():
    """After an upgrade: compare each of these names in both releases, then set WRITTEN_FOR."""
    assert version("django-allauth") == allauth_internals.WRITTEN_FOR


@pytest.mark.parametrize("name", PARAMETERS)
def test_internal_function_takes_what_we_give_it(name):
    assert PARAMETERS[name] <= signature(getattr(allauth_internals, name)).parameters.keys()


def test_every_internal_name_is_checked():
    assert PARAMETERS.keys() | KEYS == set(allauth_internals.__all__)
    assert all(isinstance(getattr(allauth_internals, key), str) for key in KEYS)


def test_nothing_else_imports_internals_of_allauth():
    importing = re.compile(r"^\s*(?:from|import) allauth\S*\.internal\b", re.MULTILINE)
    sources = [path for path in ROOT.glob("*/**/*.py") if ".venv" not in path.parts]
    found = {str(path.relative_to(ROOT)) for path in sources if importing.search(path.read_text())}
    assert found == {"accounts/allauth_internals.py"}
