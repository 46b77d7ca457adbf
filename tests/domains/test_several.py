"""Adding several domains at once."""

import re

import pytest

from audit.models import Event
from domains.models import Domain
from tests.factories import make_domain, make_user
from tests.http import text

pytestmark = pytest.mark.django_db
URL = "/domains/add/several/"


@pytest.fixture
def add(as_alice):
    return lambda names: as_alice.post(URL, {"names": names})


def names():
    return set(Domain.objects.values_list("name", flat=True))


def left(response) -> str:
    """What the text field holds for another try."""
    return re.search(r"<textarea[^>]*>\s*(.*?)</textarea>", text(response), re.DOTALL)[1]


def test_adds_one_a_line_or_between_commas_as_people_paste(add, alice):
    pasted = (
        "  A.Example.com \r\nhttps://b.example.com/shop?x=1,\tinfo@c.example.com;\n\nd.example.com.,,münchen.de"
    )
    response = add(pasted)
    assert response.status_code == 200
    assert names() == {*(f"{name}.example.com" for name in "abcd"), "xn--mnchen-3ya.de"}
    assert "5 domains added" in text(response)
    assert {domain.memberships.get().user for domain in Domain.objects.all()} == {alice}
    assert {domain.state for domain in Domain.objects.all()} == {"pending"}


def test_result_shows_the_record_that_proves_each(add):
    page = text(add("a.example.com\nb.example.com"))
    for domain in Domain.objects.all():
        assert f"_sendlayer.{domain.name}" in page
        assert f"sendlayer-verification={domain.verification_token}" in page
        assert f'href="/domains/{domain.name}/settings/dns/"' in page


def test_each_is_recorded_once(add):
    add("a.example.com\nA.EXAMPLE.COM\nb.example.com")
    assert sorted(Event.objects.filter(tag="domain.added").values_list("domain_name", flat=True)) == [
        "a.example.com",
        "b.example.com",
    ]


def test_known_and_impossible_ones_are_named_and_the_others_added(add, domain):
    page = add("SL.example.com\nnew.example.com\nco.uk\n127.0.0.1\nmy shop.com\n<b>.com")
    assert names() == {"sl.example.com", "new.example.com"}
    assert "1 domain added" in text(page) and "Already in your list" in text(page)
    for words in ("Anyone can have a name under co.uk", "An IP address", "&lt;b&gt;.com"):
        assert words in text(page)
    assert left(page).split("\n") == ["co.uk", "127.0.0.1", "my shop.com", "&lt;b&gt;.com"]


def test_sent_again_adds_none_twice(add):
    add("a.example.com")
    page = text(add("a.example.com"))
    assert "No domain added" in page and "Already in your list" in page
    assert Domain.objects.count() == 1


def test_more_than_100_are_refused_and_nothing_is_lost(add):
    pasted = "\n".join(f"d{number}.example.com" for number in range(101))
    page = add(pasted)
    assert page.status_code == 422
    assert "Add at most 100 domains at once. These are 101; none was added." in text(page)
    assert left(page) == pasted
    assert not Domain.objects.exists()
    assert add("\n".join(pasted.split("\n")[:100])).status_code == 200
    assert Domain.objects.count() == 100


@pytest.mark.parametrize("pasted", ["", "  \n , ;"])
def test_empty_input_is_explained(add, pasted):
    page = add(pasted)
    assert page.status_code == 422
    assert "Enter the domain names, one per line." in text(page)


def test_long_text_is_refused(add):
    assert add("x" * 40_000).status_code == 422
    assert add("x" * 20_000).status_code == 200
    assert not Domain.objects.exists()


def test_name_of_server_can_be_added_by_staff_only(add, client):
    assert "the name of this server" in text(add("smtp.sendlayer.net"))
    client.force_login(make_user("staff@example.com", is_staff=True))
    client.post(URL, {"names": "smtp.sendlayer.net"})
    assert names() == {"smtp.sendlayer.net"}


def test_name_pending_in_another_account_is_added(add, carol):
    make_domain("example.com", owner=carol, authorized=False)
    add("example.com")
    assert Domain.objects.filter(name="example.com").count() == 2


def test_both_ways_lead_to_each_other(as_alice):
    assert f'href="{URL}"' in text(as_alice.get("/domains/add/"))
    assert 'href="/domains/add/"' in text(as_alice.get(URL))
