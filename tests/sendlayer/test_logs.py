"""What the console shows of requests that were refused."""

import io
import logging

import pytest


@pytest.fixture
def console(monkeypatch):
    """What the handler of the settings writes."""
    (handler,) = [each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler]
    monkeypatch.setattr(handler, "stream", output := io.StringIO())
    return output


def test_the_keys_of_mailed_links_are_not_logged(client, db, console):
    for path in ("/invitations/key/tok:en/accept/", "/account/password/reset/key/1-tok:en/x/", "/plain/%0A"):
        client.get(path)
    client.post("/invitations/key/tok:en/join/", {"name": "x"})
    logged = console.getvalue()
    assert "tok:en" not in logged
    assert "/invitations/key/…/accept/" in logged
    assert "/plain/" in logged
