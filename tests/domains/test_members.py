"""The Members tab through HTTP: its permissions, its acts, and that a domain keeps an owner."""

from functools import partial
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.emails import Letter
from audit.models import Event
from domains.activity.sentences import sentence
from domains.models import Domain, Invitation, Membership
from tests.factories import SYSTEM, make_domain, make_invitation, make_user
from tests.http import at_once, delivered, sign_in, text, without_tokens

pytestmark = pytest.mark.django_db
URL = "/domains/sl.example.com/settings/members/"
HTMX = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{URL}"}
PLAIN, DIALOG = {}, HTMX


def act(user, verb, domain_name="sl.example.com"):
    """The URL of an act on a member."""
    member = Membership.objects.get(user=user, domain__name=domain_name)
    return f"{URL}{member.public_id}/{verb}/"


def roles(domain):
    return dict(domain.memberships.values_list("user__email", "role"))


def state():
    return list(Membership.objects.values()), list(Invitation.objects.values()), Event.objects.count()


@pytest.fixture
def acts(domain, bob):
    """The URL of each act of the tab, by name."""
    invitation = make_invitation(domain)
    of_bob = f"{URL}{domain.memberships.get(user=bob).public_id}"
    of_new = f"{URL}invitations/{invitation.public_id}"
    return {
        "invite": f"{URL}invite/",
        "also": f"{URL}invite/also/",
        "role": f"{of_bob}/role/",
        "remove": f"{of_bob}/remove/",
        "resend": f"{of_new}/resend/",
        "revoke": f"{of_new}/revoke/",
    }


class TestPermissions:
    def test_every_member_sees_member_list(self, as_bob, domain, alice):
        page = text(as_bob.get(URL))
        assert "Alice Archer" in page
        assert "alice@example.com" in page
        assert page.count('class="badge new">You<') == 1
        for word in ("Change role", "Remove", "Invite<", "Resend", "Revoke"):
            assert word not in page
        assert "Leave" in page

    @pytest.mark.parametrize("role", ["viewer", "manager"])
    def test_only_owners_can_change_anything(self, as_bob, domain, acts, role):
        domain.memberships.filter(user__email="bob@example.com").update(role=role)
        before = state()
        for url in acts.values():
            answers = [as_bob.get(url).status_code, as_bob.post(url, {"role": "owner"}).status_code]
            assert answers == ([403, 405] if url == acts["also"] else [403, 403])
        assert state() == before

    def test_stranger_gets_same_response_as_for_missing_domain(self, client, carol, acts):
        sign_in(client, carol)
        before = state()
        for url in [URL, f"{URL}leave/", *acts.values()]:
            for method in (client.get, client.post):
                mine, other = method(url), method(url.replace("sl.example.com", "no.example.org"))
                assert mine.status_code == other.status_code
                assert mine.status_code in (404, 405)
                assert mine.content == other.content
        assert state() == before

    def test_permission_is_checked_before_reauthentication(self, client, alice, bob, acts):
        for person, status in ((alice, 302), (bob, 403)):
            client.force_login(person)
            assert client.post(acts["remove"]).status_code == status
        assert Membership.objects.filter(user=bob).exists()

    def test_get_changes_nothing(self, as_alice, acts):
        before = state()
        for url in [*acts.values(), f"{URL}leave/"]:
            for headers in (PLAIN, DIALOG):
                assert as_alice.get(url, headers=headers).status_code == 200
        assert state() == before

    @pytest.mark.parametrize("headers", [PLAIN, DIALOG])
    def test_member_of_other_domain_gets_same_response_as_missing_one(self, as_alice, acts, carol, headers):
        theirs = make_domain("other.example.com", owner=carol).memberships.get()
        for verb in ("role", "remove"):
            answers = [
                as_alice.post(f"{URL}{public_id}/{verb}/", {"role": "viewer"}, headers=headers)
                for public_id in (theirs.public_id, uuid4())
            ]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert without_tokens(answers[0]) == without_tokens(answers[1])
        assert Membership.objects.filter(pk=theirs.pk, role="owner").exists()


class TestChanges:
    @pytest.mark.parametrize("headers", [PLAIN, DIALOG])
    def test_role_is_changed(self, as_alice, domain, bob, headers):
        response = as_alice.post(act(bob, "role"), {"role": "manager"}, headers=headers, follow=True)
        assert "Role changed." in text(response)
        assert roles(domain)[bob.email] == "manager"
        event = Event.objects.get(tag="member.role_changed")
        assert event.data == {"member": bob.email, "role": "manager", "was": "viewer"}
        assert sentence(event) == "made bob@example.com manager"

    @pytest.mark.parametrize("role", ["", "admin", "OWNER", "owner\x00"])
    def test_unknown_roles_are_refused(self, as_alice, domain, bob, role):
        response = as_alice.post(act(bob, "role"), {"role": role})
        assert response.status_code == 422
        assert "Choose" in text(response)
        assert roles(domain)[bob.email] == "viewer"

    def test_removed_member_loses_access_immediately(self, as_alice, bob, domain):
        tab = sign_in(Client(), bob)
        assert tab.get(URL).status_code == 200
        make_invitation(domain, bob.email)
        response = as_alice.post(act(bob, "remove"), headers=DIALOG)
        assert "bob@example.com was removed." in text(response)
        assert response["HX-Retarget"] == "#members"
        assert tab.get(URL).status_code == 404
        assert not Invitation.objects.exists()
        assert Event.objects.filter(tag="member.removed", data__member=bob.email).exists()

    def test_leaving_member_goes_to_domain_list(self, as_bob, bob, domain):
        asked = text(as_bob.get(f"{URL}leave/"))
        assert "You lose access" in asked
        assert as_bob.post(f"{URL}leave/")["Location"] == "/domains/"
        assert bob.email not in roles(domain)
        assert Event.objects.get(tag="member.left").actor == bob

    def test_removing_own_membership_is_leaving(self, as_alice, alice, second_owner):
        response = as_alice.post(act(alice, "remove"), headers=DIALOG)
        assert response["HX-Redirect"] == "/domains/"
        assert Event.objects.filter(tag="member.left").exists()

    def test_owner_who_lowers_own_role_sees_page_of_that_role(self, as_alice, alice, second_owner):
        response = as_alice.post(act(alice, "role"), {"role": "viewer"}, headers=DIALOG)
        assert response["HX-Redirect"] == URL
        assert as_alice.post(act(second_owner, "remove")).status_code == 403


class TestLastOwner:
    @pytest.mark.parametrize("headers", [PLAIN, DIALOG])
    def test_last_owner_stays_and_learns_what_to_do(self, as_alice, alice, domain, headers):
        for url in (f"{URL}leave/", act(alice, "remove"), act(alice, "role")):
            response = as_alice.post(url, {"role": "viewer"}, headers=headers)
            assert response.status_code == 422
            assert "You are the last owner" in text(response)
            assert "Make someone else an owner first." in text(response)
        assert roles(domain)[alice.email] == "owner"

    def test_owner_who_cannot_sign_in_does_not_count(self, as_alice, alice, domain, second_owner):
        type(alice).objects.filter(pk=second_owner.pk).update(is_active=False)
        assert as_alice.post(f"{URL}leave/").status_code == 422

    def test_last_owner_may_keep_role(self, as_alice, alice, domain):
        assert as_alice.post(act(alice, "role"), {"role": "owner"}).status_code == 302

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("verb", ["remove", "role", "leave"])
    def test_concurrent_removals_leave_one_owner(self, domain, alice, second_owner, verb):
        owners = [alice, second_owner]
        urls = [f"{URL}leave/" if verb == "leave" else act(other, verb) for other in reversed(owners)]
        posts = [
            partial(sign_in(Client(), owner).post, url, {"role": "viewer"})
            for owner, url in zip(owners, urls, strict=True)
        ]
        answers = [response.status_code for response in at_once(*posts)]
        assert list(roles(domain).values()).count("owner") == 1
        # The other request is refused: its actor is the last owner, or no longer an owner or a member.
        assert sorted(answers)[0] == 302
        assert sorted(answers)[1] in (403, 404, 422)


class TestList:
    def test_member_list_is_paged_and_searched(self, as_alice, domain):
        for number in range(30):
            user = make_user(f"m{number:02}@example.com", name=f"Number {number}")
            domain.memberships.create(user=user, role="viewer")
        assert text(as_alice.get(URL)).count("Change role of") == 25
        page = text(as_alice.get(URL, {"q": "NUMBER 7"}))
        assert page.count("Change role of") == 1
        assert "m07@example.com" in page
        assert "No member matches “zzz”" in text(as_alice.get(URL, {"q": "zzz\x00"}))
        again = as_alice.post(
            act(Membership.objects.get(user__email="m07@example.com").user, "role"),
            {"role": "manager"},
            headers=HTMX | {"HX-Current-URL": f"http://testserver{URL}?q=m07"},
        )
        assert text(again).count("Change role of") == 1

    def test_act_on_removed_member_shows_current_page_again(self, as_alice, domain):
        for number in range(30):
            domain.memberships.create(user=make_user(f"m{number:02}@example.com"), role="viewer")
        here = HTMX | {"HX-Current-URL": f"http://testserver{URL}?page=2"}
        for answer in (as_alice.get, as_alice.post):
            page = text(answer(f"{URL}{uuid4()}/remove/", headers=here))
            assert "m29@example.com" in page and "m00@example.com" not in page

    def test_member_names_are_escaped(self, as_alice, bob, domain):
        type(bob).objects.filter(pk=bob.pk).update(name="<script>alert(1)</script>")
        assert "&lt;script&gt;alert" in text(as_alice.get(URL))

    def test_queries_do_not_grow_with_members_invitations_or_domains(self, as_alice, alice, domain):
        counts = []
        for members, domains in ((0, 1), (200, 500)):
            users = type(alice).objects.bulk_create(
                [type(alice)(email=f"m{number}@example.com") for number in range(members)]
            )
            rows = [Membership(user=user, domain=domain, role="viewer") for user in users]
            owned = Domain.objects.bulk_create(Domain(name=f"d{number}.example") for number in range(domains))
            rows += [Membership(user=alice, domain=other, role="owner") for other in owned]
            Membership.objects.bulk_create(rows)
            for number in range(members or 1):
                Invitation.objects.create(
                    domain=domain,
                    email=f"i{number}-{members}@example.com",
                    role="viewer",
                    invited_by=alice,
                    expires_at="2100-01-01T00:00Z",
                )
            for path in (URL, f"{URL}invite/", f"{URL}invite/also/", "/domains/menu/"):
                with CaptureQueriesContext(connection) as queries:
                    assert as_alice.get(path).status_code == 200
                counts.append(len(queries))
        half = len(counts) // 2
        assert counts[:half] == counts[half:]
        assert max(counts) <= 6


def test_owners_are_notified_of_member_added_by_staff(domain, alice, carol):
    root = make_user("root@example.com", is_staff=True, is_superuser=True)
    rows = list(domain.memberships.order_by("pk"))
    fields = {"reason": "asked", "memberships-TOTAL_FORMS": 3, "memberships-INITIAL_FORMS": 2}
    fields |= {"dns_records-TOTAL_FORMS": 0, "dns_records-INITIAL_FORMS": 0}
    for number, (email, role) in enumerate([*roles(domain).items(), (carol.email, "viewer")]):
        values = {"id": rows[number].pk if number < 2 else "", "email": email, "role": role}
        fields |= {f"memberships-{number}-{name}": value for name, value in values.items()}
    sign_in(client := Client(), root)
    assert client.post(f"/admin/domains/domain/{domain.pk}/change/", fields).status_code == 302
    (letter,) = delivered()
    assert letter.to == [alice.email]
    assert letter.subject == "carol@example.com is now a member of sl.example.com"


def test_new_member_email_goes_only_to_subscribed_owners(domain, alice, carol):
    from domains.members import actions as members

    type(alice).objects.filter(pk=alice.pk).update(tell_members=False)
    members.notify_of_new_member(carol.email, domain, "viewer", by=SYSTEM)
    assert not Letter.objects.exists()
