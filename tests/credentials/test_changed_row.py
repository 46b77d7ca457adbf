"""The row that an act answers with is the one that the list shows afterwards."""

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone

from credentials.models import Credential
from tests.factories import SYSTEM, make_credential
from tests.http import smtp_url, text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/domains/sl.example.com/settings/smtp/"}
SOON = date.today() + timedelta(days=3)


def row(page) -> str:
    return re.search(r"<tr id=.*?</tr>", text(page), re.DOTALL)[0]


def act(client, credential, name, **fields):
    seen = credential.label if name == "label" else credential.password_changed_at.isoformat()
    return client.post(smtp_url(credential, name), {"seen": seen, **fields}, headers=HTMX)


@pytest.fixture
def rotated(alice, domain):
    """A credential whose old password still works and was used, and that is about to expire."""
    credential = make_credential(domain, label="Shop", created_by=alice)
    credential.reset_password(by=SYSTEM, keep_old_for=timedelta(days=1))
    used = {"previous_last_used_at": timezone.now(), "previous_last_used_ip": "192.0.2.7"}
    Credential.objects.filter(pk=credential.pk).update(**used)
    credential.set_expiry(SOON, by=SYSTEM)
    return credential


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("reset", {}),
        ("reset", {"keep": "1h"}),
        ("revoke_old", {"sure": "on"}),
        ("suspend", {}),
        ("label", {"label": "Shop of Alice"}),
        ("expiry", {"day": SOON + timedelta(days=30)}),
        ("expiry", {"day": ""}),
        ("extend", {}),
    ],
)
def test_the_row_after_an_act_is_the_row_of_the_list(as_alice, rotated, name, fields):
    before = row(as_alice.get(smtp_url(rotated.domain)))
    answer = act(as_alice, rotated, name, **fields)
    assert answer.status_code == 200
    badge = '<span class="badge new">Reset just now</span>'
    assert (badge in row(answer)) is (name == "reset")
    after = row(as_alice.get(smtp_url(rotated.domain)))
    assert row(answer).replace(badge, "") == after != before


def test_the_row_of_a_resumed_smtp_user_is_the_row_of_the_list(as_alice, rotated):
    rotated.suspend(by=SYSTEM)
    answer = act(as_alice, rotated, "resume")
    assert row(answer) == row(as_alice.get(smtp_url(rotated.domain)))


@pytest.mark.parametrize("name", ["reset", "revoke_old"])
def test_a_refused_act_shows_the_row_as_somebody_else_left_it(as_alice, rotated, name):
    somebody_elses = Credential.objects.get(pk=rotated.pk)
    somebody_elses.reset_password(by=SYSTEM)
    somebody_elses.rename("Renamed", by=SYSTEM)
    answer = act(as_alice, rotated, name, sure="on")
    assert answer.status_code == 409
    assert row(answer) == row(as_alice.get(smtp_url(rotated.domain)))
    assert "Renamed" in row(answer) and "Old password" not in row(answer)
