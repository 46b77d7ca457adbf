"""L: labels."""

import pytest
from django.utils.html import escape

from tests.factories import make_user
from tests.http import delivered, sign_in, smtp_url, text
from tests.input.catalogue import row, rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def save(owner, credential):
    def save(label):
        response = owner.post(smtp_url(credential, "label"), {"label": label})
        credential.refresh_from_db()
        return response

    return save


@rows("label", L1="", L2="   ")
def test_blank_label_is_stored_as_empty(save, credential, label):
    """Not required, as in the catalogue: here a label may be left out."""
    assert save(label).status_code == 302
    assert credential.label == ""


@rows("label", L3="x" * 81, L4="x" * 10_000)
def test_too_long_label_is_refused_with_the_limit(save, credential, label):
    response = save(label)
    assert response.status_code == 422 and "at most 80 characters" in text(response)
    assert credential.label == ""


@rows(
    "label",
    L5="a\x00b",
    L7="a\u202eb",
    L8="\u200b",
    L9="\ufeffa",
    L16="\t=1+1",
    L16b="a\r\nb",
    L16d="a\u2028b",
    L16e="\U000e0041",
    L16f="\uffff",
)
def test_label_with_hidden_characters_is_refused(save, credential, label):
    response = save(label)
    assert response.status_code == 422 and 'class="error"' in text(response)
    assert credential.label == ""


SHOWN = rows(
    "label",
    L10="<script>alert(1)</script>",
    L10b='"><img src=x onerror=alert(1)>',
    L10c="@USERNAME@ @SHORT@ @NETWORKS@",
    L10d="</textarea></title><svg/onload=alert(1)>",
    L11="{{7*7}}",
    L12="%s %(label)s %n",
    L13="{0.__class__} ${7*7} #{7*7}",
    L14='=HYPERLINK("https://evil.test")',
    L15="+1",
    L20="' OR 1=1 --",
    L21="שלום مرحبا",
)


@SHOWN
def test_other_labels_are_shown_literally_everywhere(save, credential, label, owner, alice):
    assert save(label).status_code == 302
    assert credential.label == label
    pages = [
        smtp_url(credential.domain),
        *(smtp_url(credential, act) for act in ("label", "reset", "delete", "reveal", "networks", "page")),
        "/domains/sl.example.com/activity/",
    ]
    for page in pages:
        shown(text(owner.get(page)), label)
    admin = sign_in(type(owner)(), make_user("staff@example.com", is_staff=True, is_superuser=True))
    for page in ("credentials/credential/", f"credentials/credential/{credential.pk}/change/", "audit/event/"):
        shown(text(admin.get(f"/admin/{page}")), label)
    owner.post(smtp_url(credential, "delete"), {"sure": "on"})
    for letter in delivered():
        assert "\n" not in letter.subject and label not in letter.subject


def shown(page, label):
    """Assert that a page shows a label escaped and not evaluated."""
    assert escape(label) == label or label not in page
    assert ">49<" not in page
    for word in ("onerror=alert(1)>", "<svg/onload", "<script>alert"):
        assert word not in page


@row("L21b")
def test_right_to_left_label_does_not_affect_its_surroundings(save, credential, owner):
    save("שלום مرحبا")
    assert "<bdi>שלום مرحبا</bdi>" in text(owner.get(smtp_url(credential.domain)))
