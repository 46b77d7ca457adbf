"""The label of a credential: what is allowed, where it is shown, and concurrent changes."""

import pytest
from django.core.exceptions import ValidationError
from django.utils.html import escape

from audit.models import Event
from credentials.models import Credential, LabelChanged
from domains.activity.sentences import sentence
from tests.factories import SYSTEM, make_credential
from tests.http import at_once, delivered, smtp_url, text
from web import text as labels

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/domains/sl.example.com/settings/smtp/"}
READABLE = [
    "WooCommerce store",
    "  Store  ",
    "متجر",
    "हिन्दी",
    "<b>&amp;",
    "C++",
    "x" * 80,
    # Joiners where these scripts need them, and as many marks on a letter as they have.
    *("علی‌رضا", "می‌خواهم", "ශ්‍රී", "क्‍ष", "ന്‍", "Việt Nam ệ", "ที่สุ้", "יְרוּשָׁלִַ֖ם", "ཧྐྵྨླྺྼྻྂ", "မြွှော့်"),
    *("👨‍👩‍👧 family", "❤️", "🏳️‍🌈", "👩🏽‍💻", "1️⃣"),
]
TOO_LONG, CONTROL = ["x" * 81], ["a\x00b", "a\nb", "a\r", "\ta", "a\x85b", "a\x1bb", "\u2028"]
BIDI = ["a\u202eb", "a\u2066b", "\u200fa", "a\u061cb"]
ZERO_WIDTH = ["\u200b", "\ufeffa", "a\u200cb", "a\u200db", "a\u2060b", "a\u00adb", "a\ufe0f", "a\u034f"]
JOINED_TO_NOTHING = ["+\u200d+", "👩\u200d", "\u200d👩", "👩\u200da"]
PAINTING = ["a" + "\u0301\u0302" * 39, "a" + "\u0315" * 9, "\u0e01" + "\u0e49" * 60]
JOINED_WRONGLY = ["ا\u200cا", "a\u200d\u0dca", "\u200cعلی", "علی\u200c"]
BLANK = ["\u3164", "\u2800", "\U000e0061"]

REFUSED = [*TOO_LONG, *CONTROL, *BIDI, *ZERO_WIDTH, *JOINED_TO_NOTHING, *JOINED_WRONGLY, *PAINTING, *BLANK]


def post(client, credential, label, **fields):
    return client.post(smtp_url(credential, "label"), {"label": label, **fields}, headers=HTMX)


@pytest.mark.parametrize("label", READABLE)
def test_label_is_stored_as_people_read_it(credential, label):
    credential.rename(label, by=SYSTEM)
    credential.refresh_from_db()
    assert credential.label == label.strip()


def test_label_length_ignores_outer_spaces_and_parts_of_letters():
    assert labels.clean(" " * 100_000 + "a\u0308" * 80 + "\u3000" * 100_000) == "ä" * 80


@pytest.mark.parametrize("label", ["\u00a0", "\u3000 \u2003"])
def test_label_of_spaces_is_blank(credential, label):
    credential.rename(label, by=SYSTEM)
    assert credential.label == ""


@pytest.mark.parametrize("label", REFUSED, ids=ascii)
def test_misleading_label_is_refused(as_alice, credential, label):
    with pytest.raises(ValidationError):
        credential.rename(label, by=SYSTEM)
    assert post(as_alice, credential, label).status_code == 422
    credential.refresh_from_db()
    assert credential.label == ""


def test_label_is_saved_in_its_row(as_alice, credential):
    response = post(as_alice, credential, "Newsletter", seen="")
    assert f'<tr id="cred-{credential.username}"' in text(response)
    assert "<bdi>Newsletter</bdi>" in text(response)
    assert Event.objects.latest("pk").data == {"label": "Newsletter"}


def test_label_error_is_shown_in_place_with_the_input(as_alice, credential):
    response = post(as_alice, credential, "x" * 81)
    assert response.status_code == 422
    assert response["HX-Retarget"] == f"#label-form-{credential.username}"
    assert "Use at most 80 characters (you entered 81)." in text(response)
    assert "x" * 81 in text(response)


@pytest.mark.parametrize(("now", "told"), [("Blog", "changed to “Blog”"), ("", "removed")])
def test_label_changed_by_another_is_reported_and_saved_at_the_second_try(as_alice, domain, now, told):
    credential = make_credential(domain, label="Shop")
    credential.rename(now, by=SYSTEM)
    response = post(as_alice, credential, "My <shop>", seen="Shop")
    assert response.status_code == 409
    assert f"Nothing was saved yet: the label was {told} in the meantime." in text(response)
    assert escape("My <shop>") in text(response)
    assert f'name="seen" value="{now}"' in text(response) or not now
    assert post(as_alice, credential, "My <shop>", seen=now).status_code == 200
    credential.refresh_from_db()
    assert credential.label == "My <shop>"


def test_label_page_without_javascript_reports_another_change(as_alice, domain):
    credential = make_credential(domain, label="Blog")
    response = as_alice.post(smtp_url(credential, "label"), {"label": "Mine", "seen": "Shop"})
    assert response.status_code == 409
    assert "changed to “Blog” in the meantime" in text(response)
    assert 'value="Mine"' in text(response)


@pytest.mark.parametrize("seen", ["a\x00b", "\ud800".encode("utf-8", "replace").decode(), "x" * 9999])
def test_label_form_accepts_any_text_as_seen(as_alice, credential, seen):
    assert post(as_alice, credential, "Mine", seen=seen).status_code == 409


@pytest.mark.django_db(transaction=True)
def test_one_of_two_concurrent_label_changes_wins(credential):
    rows = [Credential.objects.get(pk=credential.pk) for _ in range(2)]

    def rename(row, label):
        try:
            row.rename(label, by=SYSTEM, seen="")
        except LabelChanged:
            return row.label
        return None

    told = at_once(
        *(lambda row=row, label=label: rename(row, label) for row, label in zip(rows, "AB", strict=True))
    )
    credential.refresh_from_db()
    assert sorted(told, key=str) == sorted([None, credential.label], key=str)
    assert Event.objects.filter(tag="credential.labelled").count() == 1


def test_events_and_letters_of_a_credential_name_its_label(alice, domain):
    credential = make_credential(domain, label="Newsletter")
    for tag in ("credential.password_shown", "credential.password_copied", "credential.checked"):
        credential.reveal(tag, by=SYSTEM)
    credential.reset_password(by=SYSTEM)
    credential.set_networks("192.0.2.0/24", by=SYSTEM)
    credential.suspend(by=SYSTEM, reason="asked")
    credential.resume(by=SYSTEM)
    credential.remove(by=SYSTEM)
    events = Event.objects.filter(credential=credential.username)
    assert events.count() == 9
    assert [event.tag for event in events if "<bdi>Newsletter</bdi>" not in sentence(event)] == []
    letters = delivered()
    assert len(letters) == 3  # reset, suspended, deleted
    assert all("(Newsletter)" in letter.body for letter in letters)


def test_event_of_a_removed_label_names_it(domain):
    credential = make_credential(domain, label="Shop")
    credential.rename("", by=SYSTEM)
    assert "removed the label “Shop” from" in sentence(Event.objects.latest("pk"))
