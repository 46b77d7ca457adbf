"""The General tab through HTTP: the display name, transferring a domain, and deleting it."""

from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Event
from credentials.models import Credential
from credentials.outcome import Outcome
from domains.activity.sentences import sentence
from domains.models import Domain, Membership
from tests.factories import make_credential, make_domain, make_invitation, make_user, password_of
from tests.http import at_once, delivered, sign_in, text

pytestmark = pytest.mark.django_db
URL = "/domains/sl.example.com/settings/"
HTMX = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{URL}"}
ACTS = ("name", "transfer", "delete")


def roles():
    return dict(Membership.objects.values_list("user__email", "role"))


def state():
    return list(Domain.objects.values()), roles(), Event.objects.count()


class TestPermissions:
    def test_every_member_sees_host_and_port(self, as_bob, domain):
        page = text(as_bob.get(URL))
        for words in ('data-copy="smtp.sendlayer.net"', 'data-copy="587"', "Authorized", "sl.example.com"):
            assert words in page
        for words in ("Delete", "Transfer", "Save"):
            assert words not in page

    @pytest.mark.parametrize("act", ACTS)
    def test_only_owners_can_change_anything(self, client, bob, carol, alice, domain, act):
        before = state()
        for role, status in (("viewer", 403), ("manager", 403), (None, 404)):
            rows = domain.memberships.filter(user=bob)
            rows.update(role=role) if role else rows.delete()
            client.force_login(bob)  # long ago: permissions are checked before a password is asked for
            fields = {"title": "x", "name": "sl.example.com"}
            assert client.post(f"{URL}{act}/", fields).status_code == status
        client.force_login(alice)
        assert client.post(f"{URL}{act}/", fields)["Location"].startswith("/account/reauthenticate/")
        assert (state()[0], state()[2]) == (before[0], before[2])

    def test_get_changes_nothing(self, as_alice, domain):
        before = state()
        for act in ACTS:
            for headers in ({}, HTMX):
                assert as_alice.get(f"{URL}{act}/", headers=headers).status_code in (200, 302)
        assert state() == before


class TestDisplayName:
    def test_display_name_is_shown_beside_domain(self, as_alice, domain):
        response = as_alice.post(f"{URL}name/", {"title": " Shop <b> "}, follow=True)
        assert response.redirect_chain == [(URL, 302)]
        assert "Display name saved." in text(response)
        domain.refresh_from_db()
        assert domain.title == "Shop <b>"
        for path in ("/domains/", "/domains/menu/", "/domains/sl.example.com/", URL):
            assert "Shop &lt;b&gt;" in text(as_alice.get(path))
        assert "sl.example.com" in text(as_alice.get("/domains/menu/", {"q": "shop"}))
        assert sentence(Event.objects.get(tag="domain.renamed")) == "named the domain “Shop &lt;b&gt;”"

    def test_blank_display_name_removes_it_and_same_name_records_no_event(self, as_alice, domain):
        for title in ("Shop", "Shop", ""):
            as_alice.post(f"{URL}name/", {"title": title})
        domain.refresh_from_db()
        assert domain.title == ""
        assert [sentence(event) for event in Event.objects.filter(tag="domain.renamed").order_by("pk")] == [
            "named the domain “Shop”",
            "removed the display name of the domain",
        ]

    @pytest.mark.parametrize("title", ["x" * 81, "a\x00b", "a\u202eb", "a\nb"])
    def test_misleading_display_name_is_refused_at_field(self, as_alice, domain, title):
        response = as_alice.post(f"{URL}name/", {"title": title})
        assert response.status_code == 422
        assert 'id="id_title_error"' in text(response)
        assert not Event.objects.filter(tag="domain.renamed").exists()


class TestTransfer:
    def test_transfer_makes_other_member_owner_and_actor_manager(self, as_alice, alice, bob, domain):
        asked = text(as_alice.get(f"{URL}transfer/", headers=HTMX))
        assert "bob@example.com (Viewer)" in asked
        member = domain.memberships.get(user=bob)
        response = as_alice.post(f"{URL}transfer/", {"member": member.public_id}, headers=HTMX)
        assert response["HX-Redirect"] == f"{URL}members/"
        assert roles() == {alice.email: "manager", bob.email: "owner"}
        (letter,) = delivered()
        assert (letter.to, letter.subject) == ([bob.email], "You are now the owner of sl.example.com")
        assert f"http://127.0.0.1:8000{URL}" in letter.body
        event = Event.objects.get(tag="domain.transferred")
        assert sentence(event) == "made bob@example.com the owner in their place"
        assert as_alice.post(f"{URL}transfer/", {"member": member.public_id}).status_code == 403

    def test_transfer_offers_members_who_can_sign_in_and_are_not_owners(
        self, as_alice, alice, bob, carol, domain, second_owner
    ):
        type(bob).objects.filter(pk=bob.pk).update(is_active=False)
        theirs = make_domain("other.example.com", owner=carol).memberships.get()
        members = [domain.memberships.get(user=user) for user in (alice, bob, second_owner)]
        before = roles()
        for value in [*(member.public_id for member in [*members, theirs]), "", "x", "\x00"]:
            response = as_alice.post(f"{URL}transfer/", {"member": value})
            assert response.status_code == 422 or "no one to transfer" in text(response)
        assert roles() == before

    def test_transfer_without_other_members_explains_what_to_do(self, as_alice, bob, domain):
        domain.memberships.filter(user=bob).delete()
        assert "Invite another member first." in text(as_alice.get(f"{URL}transfer/"))


class TestDelete:
    def test_delete_page_lists_what_is_deleted(self, as_alice, domain):
        for hours in (1, 2, 30):
            make_credential(domain, last_used_at=timezone.now() - timedelta(hours=hours))
        make_invitation(domain)
        page = " ".join(text(as_alice.get(f"{URL}delete/")).split())
        assert "2 of 3 SMTP users were used in the last 24 hours" in page
        assert "3 SMTP users, last used" in page and ">1 hour ago</time>" in page
        assert "2 members" in page and "1 pending invitation<" in page

    @pytest.mark.parametrize("headers", [{}, HTMX])
    def test_delete_removes_everything_but_events(self, as_alice, alice, bob, second_owner, domain, headers):
        credential = make_credential(domain)
        password = password_of(credential)
        make_invitation(domain)
        response = as_alice.post(f"{URL}delete/", {"name": " SL.Example.com. "}, headers=headers)
        assert (response.headers.get("HX-Redirect") or response["Location"]) == "/domains/"
        assert "Domain deleted." in text(as_alice.get("/domains/"))
        outcome = Credential.objects.authenticate(credential.username, password).outcome
        assert outcome is Outcome.UNKNOWN_USERNAME
        assert not Domain.objects.exists() and not roles()
        event = Event.objects.get(tag="domain.deleted")
        assert (event.domain_id, event.domain_name, event.actor) == (domain.pk, "sl.example.com", alice)
        assert event.data == {"credentials": 1, "members": 3}
        assert Event.objects.get(tag="credential.created").domain_name == "sl.example.com"
        letters = delivered()
        assert sorted(letter.to[0] for letter in letters) == [alice.email, second_owner.email]
        assert letters[0].subject == "sl.example.com was deleted"
        assert as_alice.get(URL).status_code == 404

    @pytest.mark.parametrize(
        "name", ["", "sl.example.org", "sl.example.com x", "\x00", "x" * 1001, "example.com"]
    )
    def test_wrong_name_is_refused_at_field(self, as_alice, domain, name):
        for headers in ({}, HTMX):
            response = as_alice.post(f"{URL}delete/", {"name": name}, headers=headers)
            assert response.status_code == 422
            assert 'id="id_name_error"' in text(response)
        assert Domain.objects.exists()

    @pytest.mark.parametrize("name", ["münchen.de", "MÜNCHEN.de", "xn--mnchen-3ya.de", "XN--MNCHEN-3YA.DE."])
    def test_either_form_of_international_name_confirms_deletion(self, as_alice, alice, name):
        make_domain("xn--mnchen-3ya.de", owner=alice)
        response = as_alice.post("/domains/xn--mnchen-3ya.de/settings/delete/", {"name": name})
        assert response.status_code == 302
        assert not Domain.objects.exists()

    def test_delete_keeps_other_domain_of_same_name(self, as_alice, carol, domain):
        theirs = make_domain("sl.example.com", owner=carol, authorized=False)
        as_alice.post(f"{URL}delete/", {"name": "sl.example.com"})
        assert Domain.objects.get() == theirs

    def test_nothing_is_deleted_when_event_cannot_be_written(self, as_alice, domain, monkeypatch):
        def refuse(*args, **kwargs):
            raise RuntimeError("audit is down")

        before = state()
        monkeypatch.setattr(Event.objects, "create", refuse)
        for act, fields in (("delete", {"name": "sl.example.com"}), ("name", {"title": "x"})):
            with pytest.raises(RuntimeError):
                as_alice.post(f"{URL}{act}/", fields)
        assert state() == before

    @pytest.mark.django_db(transaction=True)
    def test_concurrent_deletions_and_acceptance_do_not_deadlock(self, domain, alice, second_owner):
        from domains.models.invitation import make_token

        nina = make_user("new@example.org")
        invitation = make_invitation(domain, nina.email)
        accept = f"/invitations/key/{make_token(invitation.key)}/accept/"
        asked = [(alice, f"{URL}delete/"), (second_owner, f"{URL}delete/"), (nina, accept)]
        posts = [
            partial(sign_in(Client(), user).post, path, {"name": "sl.example.com"}) for user, path in asked
        ]
        answers = {response.status_code for response in at_once(*posts)}
        assert not Domain.objects.exists()
        assert answers <= {302, 404, 410}
        assert Event.objects.filter(tag="domain.deleted").count() == 1


class TestDropdown:
    def test_dropdown_of_500_domains_needs_one_query_and_little_html(
        self, as_alice, alice, django_assert_num_queries
    ):
        owned = Domain.objects.bulk_create(
            Domain(name=f"shop-{number:03}.example.com", title=f"Shop {number}", authorized_at=timezone.now())
            for number in range(500)
        )
        Membership.objects.bulk_create(Membership(user=alice, domain=domain, role="owner") for domain in owned)
        with django_assert_num_queries(3):  # session, person, domains
            response = as_alice.get("/domains/menu/?tab=members&current=shop-001.example.com")
        assert len(response.content) < 120_000
        assert len(as_alice.get("/domains/menu/", headers={"Accept-Encoding": "gzip"}).content) < 12_000
