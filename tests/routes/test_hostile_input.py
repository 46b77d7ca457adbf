"""Unexpected text in every field and path, as the most powerful user: never a server error."""

import re

import pytest

from tests.locks import taken_back
from tests.routes.table import routes
from tests.routes.world import OWNER, STAFF

TEXTS = {"nul": "a\x00b", "long": "9" * 5000}
QUERY = ["q", "page", "at", "current", "new", "state", "also", "next", "code", "error", "p", "o", "e", "tag"]
# Fields of forms that this page does not show.
FIELDS = ["reason", "action", "_selected_action", "credential", "key", "seen", "sure", "next", "username"]
NAMES = re.compile(r'<(?:input|select|textarea)[^>]* name="([^"]+)"')


@pytest.mark.django_db
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_hostile_input_causes_no_server_error(text, world):
    for route in routes():
        client = world.client(STAFF if route.name.startswith("admin:") else OWNER)
        path = world.path(route)
        htmx = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{path}?page={text}&q={text}"}
        with taken_back():
            page = client.get(path)
            names = {*FIELDS, *NAMES.findall("" if page.streaming else page.content.decode())}
            answers = [
                client.get(path, dict.fromkeys(QUERY, text)),
                client.post(path, dict.fromkeys(names, text)),
                client.post(path, dict.fromkeys(names, text), headers=htmx),
            ]
        assert all(answer.status_code < 500 for answer in answers), route.name
