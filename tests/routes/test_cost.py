"""Every page with long texts in all its fields: its cost grows at most linearly."""

import re

import pytest

from tests.input.measuring import AT_MOST, seconds
from tests.locks import taken_back
from tests.routes.table import routes
from tests.routes.test_hostile_input import FIELDS, NAMES, QUERY
from tests.routes.world import OWNER, STAFF

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SHORT, LONG = 1_000, 4_000  # in each of some ten fields; a body has 256 KB at most
FLOOR = 0.1  # seconds; above it, LONG may cost more than SHORT only in proportion to its length
TEXTS = {
    "blanks": lambda size: "x" + " " * size + "x",
    "marks": lambda size: "a" + "\u0315\u0300" * (size // 2),
}


@pytest.mark.parametrize("make", TEXTS.values(), ids=TEXTS)
def test_long_texts_take_linear_time(make, world):
    slow = {}
    for route in routes():
        client = world.client(STAFF if route.name.startswith("admin:") else OWNER)
        path = world.path(route)
        with taken_back():
            page = client.get(path)
            names = {*FIELDS, *NAMES.findall("" if page.streaming else page.content.decode())}
            acts = {
                "GET": lambda text, client=client, path=path: client.get(path, dict.fromkeys(QUERY, text)),
                "POST": lambda text, client=client, path=path, names=names: client.post(
                    path, dict.fromkeys(names, text), headers={"HX-Request": "true", "HX-Current-URL": path}
                ),
            }
            for method, act in acts.items():
                if seconds(act, make(LONG)) > FLOOR:
                    taken = {size: min(seconds(act, make(size)) for _ in range(3)) for size in (SHORT, LONG)}
                    if taken[LONG] > max(FLOOR, AT_MOST * taken[SHORT] * LONG / SHORT):
                        slow[f"{method} {route.name}"] = taken
    assert slow == {}


@pytest.mark.parametrize("text", ["x" + " " * 20_000 + "x", "a" + "\u0315\u0300" * 9_000])
def test_very_long_domain_name_is_refused_quickly(text, world):
    client = world.client(OWNER)
    answers = []
    taken = seconds(lambda name: answers.append(client.post("/account/", {"name": name})), text)
    assert taken < 0.5
    assert re.search(r"Use at most 80 characters \(you entered [\d]+\)\.", answers[0].content.decode())


def test_search_for_1000_words_finds_nothing(world):
    client = world.client(STAFF)
    for path in ("/admin/accounts/user/", "/admin/domains/domain/", "/admin/credentials/credential/"):
        assert client.get(path, {"q": "a b c " * 1_000}).status_code == 200
