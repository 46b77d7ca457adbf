"""The page of one SMTP user: its parts, the addresses that lead to them, and where its acts are answered."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from audit.models import Event
from credentials.models import Credential
from tests.factories import SYSTEM, make_credential, make_domain, make_use, password_of
from tests.http import delivered, sign_in, smtp_url, text

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
PARTS = ["username-password", "connect", "use", "history", "check", "limits", "stop"]


def url(credential):
    return smtp_url(credential, "page")


def on_page(credential, query=""):
    return {"HX-Request": "true", "HX-Current-URL": f"http://testserver{url(credential)}{query}"}


def test_each_part_is_a_link_target(as_alice, credential):
    credential.reset_password(by=SYSTEM, keep_old_for=timedelta(days=1))
    page = text(as_alice.get(url(credential)))
    assert [part for part in [*PARTS, "rotation"] if f'<h2 id="{part}">' not in page] == []


@pytest.mark.parametrize(
    ("name", "query", "leads_to"),
    [
        ("clients", "?page=2", "?clients=2#use"),
        ("clients", "", "#use"),
        ("connect", "?tool=django&x=1", "?tool=django#connect"),
        ("refused", "", "#use"),
        ("explain", "", "#check"),
        ("label", "", "?edit=label"),
        ("networks", "", "?edit=networks"),
        ("expiry", "", "?edit=expiry"),
        ("extend", "", "#limits"),
    ],
)
def test_addresses_of_before_lead_to_the_parts(as_alice, credential, name, query, leads_to):
    response = as_alice.get(smtp_url(credential, name) + query)
    assert (response.status_code, response["Location"]) == (302, url(credential) + leads_to)


def test_page_shows_no_secret(as_alice, credential):
    for query in ("", "?tool=laravel", "?edit=networks"):
        page = text(as_alice.get(url(credential) + query))
        assert password_of(credential) not in page and credential.verifier not in page


def test_viewer_sees_every_part_but_no_secret_and_no_act(client, bob, credential):
    credential.reset_password(by=SYSTEM, keep_old_for=timedelta(days=1))
    page = text(sign_in(client, bob).get(url(credential) + "?edit=expiry"))
    for part in (*PARTS[:-1], "rotation"):
        assert f'<h2 id="{part}">' in page
    for act in (
        "copy/",
        "reset/",
        "suspend/",
        "delete/",
        "revoke-old/",
        "check/",
        "edit=",
        "extend/",
        "data-reveal",
    ):
        assert act not in page


def test_stranger_and_other_domain_find_nothing(client, as_alice, carol, credential):
    theirs = make_credential(make_domain("other.example.com"))
    assert as_alice.get(url(credential).replace(credential.username, theirs.username)).status_code == 404
    assert sign_in(client, carol).get(url(credential)).status_code == 404


def test_unlabelled_one_is_named_by_its_username(as_alice, credential):
    page = text(as_alice.get(url(credential)))
    assert f"<title>{credential.short_username} · " in page and "Add label" in page


def test_history_tells_its_own_events_only_newest_first(as_alice, alice, credential):
    other = make_credential(credential.domain, label="Other")
    credential.reveal("credential.password_copied", by=SYSTEM)
    credential.rename("Shop", by=SYSTEM)
    other.reveal("credential.password_shown", by=SYSTEM)
    page = text(as_alice.get(url(credential)))
    events = re.findall(r"<li><span><b>tests</b> (.*?)</span>", page)
    assert events == ["labelled it “Shop”", "copied the password", "added it"]
    assert (
        f'{reverse("audit:activity", args=[credential.domain.name])}?credential={credential.username}"' in page
    )


@pytest.mark.parametrize(
    ("name", "fields", "part"),
    [
        ("reset", {}, "credentials"),
        ("suspend", {}, "stop"),
        ("networks", {"networks": "192.0.2.1"}, "limits"),
        ("expiry", {"day": ""}, "limits"),
        ("label", {"label": "Shop"}, "label"),
    ],
)
def test_act_on_the_page_is_answered_by_the_page(as_alice, domain, name, fields, part):
    over_htmx, without = make_credential(domain), make_credential(domain)
    for credential in (over_htmx, without):
        fields["seen"] = "" if name == "label" else credential.password_changed_at.isoformat()
        if credential is over_htmx:
            response = as_alice.post(
                smtp_url(credential, name), fields, headers=on_page(credential, "?edit=x&tool=go")
            )
            assert response["HX-Retarget"] == f"#cred-{credential.username}"
            assert response["HX-Replace-Url"] == f"{url(credential)}?tool=go"
            assert f'<div class="credential" id="cred-{credential.username}">' in text(response)
            assert 'hx-swap-oob="beforeend:#toasts"' in text(response) and "<html" not in text(response)
        else:
            response = as_alice.post(smtp_url(credential, name) + "?on=page&back=page%3D2", fields)
            assert response["Location"] == f"{url(credential)}?back=page%3D2#{part}"


def test_same_act_in_the_list_is_answered_by_the_row_or_the_list(as_alice, credential):
    fields = {"seen": credential.password_changed_at.isoformat()}
    listed = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{smtp_url(credential.domain)}"}
    response = as_alice.post(smtp_url(credential, "reset"), fields, headers=listed)
    assert f'<tr id="cred-{credential.username}"' in text(response)
    location = as_alice.post(smtp_url(credential, "suspend"))["Location"]
    assert location == f"{smtp_url(credential.domain)}#cred-{credential.username}"


def test_refused_act_on_the_page_shows_it_as_it_is_now(as_alice, credential):
    seen = credential.password_changed_at.isoformat()
    Credential.objects.get(pk=credential.pk).reset_password(by=SYSTEM)
    response = as_alice.post(smtp_url(credential, "reset"), {"seen": seen}, headers=on_page(credential))
    assert response.status_code == 409 and "Nothing was reset" in text(response)
    assert 'class="credential"' in text(response)


def test_delete_on_the_page_leads_to_the_place_in_the_list(as_alice, domain):
    first, second = make_credential(domain), make_credential(domain)
    response = as_alice.post(smtp_url(first, "delete"), headers=on_page(first, "?back=q%3Dshop"))
    assert response["HX-Redirect"] == smtp_url(domain) + "?q=shop"
    response = as_alice.post(smtp_url(second, "delete") + "?on=page&back=q%3Dshop")
    assert response["Location"] == smtp_url(domain) + "?q=shop"
    assert "SMTP user is deleted." in text(as_alice.get(smtp_url(domain)))


@pytest.mark.parametrize(
    ("back", "query"),
    [
        ("q=shop&page=2", "?q=shop&amp;page=2"),
        ("state=unused&sort=label", "?state=unused&amp;sort=label"),
        ("next=//evil.example&q=a", "?q=a"),
        ("https://evil.example", ""),
        ("q=%22%3E%3Cscript%3E", "?q=%22%3E%3Cscript%3E"),
        ("q=" + "x" * 5000, "?q=" + "x" * 100),
        ("\x00", ""),
    ],
)
def test_crumb_leads_to_the_list_and_nowhere_else(as_alice, credential, back, query):
    page = text(as_alice.get(url(credential), {"back": back}))
    assert f'href="{smtp_url(credential.domain)}{query}#cred-{credential.username}"' in page


def test_queries_do_not_grow_with_logins_and_events(as_alice, credential, django_assert_num_queries):
    for number in range(1, 41):
        make_use(credential, f"192.0.2.{number}")
        credential.reveal("credential.password_copied", by=SYSTEM)
        if number in (1, 40):
            # Session, person, domain with role, credential, logins, names, links, events.
            with django_assert_num_queries(8):
                assert as_alice.get(url(credential)).status_code == 200


def test_page_changes_nothing(as_alice, credential):
    before = Credential.objects.values().get(), Event.objects.count()
    for query in ("", "?edit=label", "?tool=go", "?clients=9"):
        as_alice.get(url(credential) + query)
    assert (Credential.objects.values().get(), Event.objects.count()) == before


def test_letters_lead_to_the_page_and_of_a_deleted_one_to_the_list(credential):
    page, listed = url(credential), smtp_url(credential.domain)
    credential.reset_password(by=SYSTEM)
    credential.suspend(by=SYSTEM)
    credential.remove(by=SYSTEM)
    reset, suspended, deleted = (letter.body for letter in delivered())
    assert page in reset and page in suspended
    assert page not in deleted and listed in deleted


def test_activity_leads_to_the_page(as_alice, credential):
    assert f'<a href="{url(credential)}"' in text(as_alice.get(f"/domains/{credential.domain.name}/activity/"))
