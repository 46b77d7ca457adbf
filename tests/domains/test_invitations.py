"""The e-mailed link of an invitation, through HTTP, for each kind of visitor."""

import re
from datetime import timedelta
from functools import partial

import pytest
from allauth.account.models import EmailAddress
from django.core import signing
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from domains.models import Domain, Membership
from domains.models.invitation import Invitation, make_token
from tests.domains.inviting import URL, invite, link_in
from tests.factories import PASSWORD, make_domain, make_user
from tests.http import at_once, delivered, sign_in, text, without_tokens

pytestmark = pytest.mark.django_db
NEW = {"name": "Nina New", "password1": "a-very-long-one", "password2": "a-very-long-one"}


@pytest.fixture
def visitor():
    """A browser without a session."""
    return Client()


class TestLink:
    def test_link_shows_inviter_address_and_domain_and_changes_nothing(self, visitor, link):
        page = text(visitor.get(link))
        for words in ("alice@example.com", "new@example.org", "sl.example.com", "as viewer"):
            assert words in page
        visitor.head(link)
        assert Invitation.objects.count() == 1
        for act in ("accept", "decline", "join"):
            assert visitor.get(f"{link}{act}/").status_code == 405

    def test_all_invalid_links_get_same_page(self, as_alice, visitor, link, settings):
        good = link.split("/")[3]
        invitation = Invitation.objects.get()
        foreign = signing.dumps(invitation.key.hex, salt="something else")
        odd = signing.dumps("no key", salt="domains.invitation")
        pages = set()
        Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
        for token in (good, good[:-1], "x", foreign, odd, make_token(invitation.public_id)):
            response = visitor.get(f"/invitations/key/{token}/")
            assert response.status_code == 410
            pages.add(without_tokens(response))
            for act in ("accept", "decline", "join"):
                assert visitor.post(f"/invitations/key/{token}/{act}/", NEW).status_code == 410
        assert len(pages) == 1
        assert not User.objects.filter(email="new@example.org").exists()

    def test_signature_of_link_expires_after_seven_days(self, visitor, link, monkeypatch):
        Invitation.objects.update(expires_at=timezone.now() + timedelta(days=30))
        later = signing.time.time() + timedelta(days=7, minutes=1).total_seconds()
        monkeypatch.setattr(signing.time, "time", lambda: later)
        assert visitor.get(link).status_code == 410

    @pytest.mark.parametrize("token", ["%00", "a%2Fb", "x" * 300, "..", "%F0%9F%92%A9"])
    def test_malformed_token_is_not_found(self, visitor, token):
        assert visitor.get(f"/invitations/key/{token}/").status_code in (302, 404)


class TestWithAnAccount:
    @pytest.fixture
    def nina(self):
        return make_user("new@example.org", name="Nina")

    def test_invitation_is_accepted_after_sign_in(self, visitor, link, nina, domain, alice):
        page = text(visitor.get(link))
        assert "Sign in to accept" in page and "password1" not in page
        target = re.search(r'href="(/login/\?next=[^"]+)"', page)[1]
        response = visitor.post(target, {"login": "new@example.org", "password": PASSWORD, "next": link})
        assert response["Location"] == link
        assert "Decline" in text(visitor.get(link))
        response = visitor.post(f"{link}accept/", follow=True)
        assert response.redirect_chain == [("/domains/sl.example.com/", 302)]
        assert "You are now a member of sl.example.com." in text(response)
        assert domain.memberships.get(user=nina).role == "viewer"
        assert Event.objects.get(tag="member.joined").actor == nina
        letter = delivered()[-1]
        assert letter.to == [alice.email]
        assert letter.subject == "new@example.org is now a member of sl.example.com"
        assert "as viewer." in letter.body

    def test_link_works_once(self, visitor, link, nina):
        sign_in(visitor, nina)
        visitor.post(f"{link}accept/")
        Membership.objects.filter(user=nina).delete()
        assert visitor.post(f"{link}accept/").status_code == 410
        assert visitor.get(link).status_code == 410
        assert not Membership.objects.filter(user=nina).exists()

    def test_declining_adds_no_member(self, visitor, link, nina):
        sign_in(visitor, nina)
        assert "Invitation declined." in text(visitor.post(f"{link}decline/", follow=True))
        assert not Membership.objects.filter(user=nina).exists()
        assert Event.objects.get(tag="member.declined").data == {"member": "new@example.org"}
        assert visitor.get(link).status_code == 410

    def test_other_user_is_asked_to_sign_out_and_returns_to_link(self, link, nina, carol):
        client = sign_in(Client(), carol)
        page = text(client.get(link))
        assert "You're signed in as carol@example.com" in page and "Accept" not in page
        for act in ("accept", "decline", "join"):
            assert client.post(f"{link}{act}/", NEW)["Location"] == link
        assert not Membership.objects.filter(user=carol).exists()
        assert client.post("/logout/", {"next": link})["Location"] == link
        assert "Sign in to accept" in text(client.get(link))

    def test_secondary_confirmed_address_of_account_counts(self, link, carol):
        EmailAddress.objects.create(user=carol, email="new@example.org", verified=True)
        assert "Decline" in text(sign_in(Client(), carol).get(link))

    def test_account_is_found_regardless_of_case(self, visitor, as_alice, domain):
        User.objects.bulk_create([User(email="New@Example.ORG")])
        User.objects.get(email="New@Example.ORG").confirm()
        invite(as_alice)
        assert "Sign in to accept" in text(visitor.get(link_in(delivered()[0])))

    def test_deactivated_user_and_deleted_domain_get_same_page(self, visitor, link, nina, domain):
        client = sign_in(Client(), nina)
        User.objects.filter(pk=nina.pk).update(is_active=False)
        answers = [visitor.get(link), client.post(f"{link}accept/")]
        User.objects.filter(pk=nina.pk).update(is_active=True)
        Domain.objects.all().delete()
        answers += [sign_in(client, nina).post(f"{link}accept/"), visitor.get(link)]
        assert {answer.status_code for answer in answers} == {410}
        assert len({without_tokens(answer) for answer in answers}) == 1

    @pytest.mark.parametrize(
        ("had", "invited", "has"), [("owner", "viewer", "owner"), ("viewer", "manager", "manager")]
    )
    def test_accepting_raises_role_but_never_lowers_it(self, as_alice, domain, nina, had, invited, has):
        invite(as_alice, role=invited)
        domain.memberships.create(user=nina, role=had)
        sign_in(client := Client(), nina)
        client.post(f"{link_in(delivered()[0])}accept/")
        assert domain.memberships.get(user=nina).role == has
        assert Event.objects.filter(tag="member.role_changed").count() == (had != has)

    def test_accepting_joins_all_remaining_domains(self, as_alice, alice, domain, nina):
        others = [make_domain(f"{name}.example", owner=alice) for name in "abc"]
        invite(as_alice, also=[other.name for other in others])
        others[0].delete()
        others[1].invitations.all().delete()
        link = link_in(delivered()[0])
        client = sign_in(Client(), nina)
        assert "Join 2 domains" in text(client.get(link))
        response = client.post(f"{link}accept/", follow=True)
        assert response.redirect_chain == [("/domains/", 302)]
        assert "You are now a member of 2 domains." in text(response)
        names = Membership.objects.filter(user=nina).values_list("domain__name", flat=True)
        assert sorted(names) == ["c.example", "sl.example.com"]


class TestWithoutAnAccount:
    def test_joining_creates_account_signs_in_and_accepts(self, visitor, link, domain, settings):
        settings.SIGNUP_OPEN = False
        page = text(visitor.get(link))
        assert 'value="new@example.org"' in page and "<li>Your password must contain at least 10" in page
        response = visitor.post(f"{link}join/", NEW, follow=True)
        assert response.redirect_chain == [("/domains/sl.example.com/", 302)]
        assert "You are now a member of sl.example.com." in text(response)
        user = User.objects.get(email="new@example.org")
        assert (user.name, domain.memberships.get(user=user).role) == ("Nina New", "viewer")
        assert EmailAddress.objects.filter(user=user, email=user.email, verified=True, primary=True).exists()
        assert Event.objects.get(tag="member.joined").actor == user
        # allauth signs in, and records how and when.
        assert [record["method"] for record in visitor.session["account_authentication_methods"]] == [
            "password"
        ]
        fresh = Client()
        fresh.post("/login/", {"login": "new@example.org", "password": NEW["password1"]})
        assert fresh.get(URL).status_code == 200

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"password1": "short", "password2": "short"}, "too short"),
            ({"password1": "password123", "password2": "password123"}, "too common"),
            ({"password1": "new@example.org", "password2": "new@example.org"}, "too similar to the e-mail"),
            ({"password1": "1029384756", "password2": "1029384756"}, "entirely numeric"),
            ({"password2": "another-long-one"}, "Type the same password twice."),
            ({"password1": ""}, "This field is required."),
            ({"password1": "a\x00" * 8, "password2": "a\x00" * 8}, "Null characters"),
            ({"password1": "x" * 1001}, "at most 1000 characters"),
            ({"name": "a\u202eb"}, "Remove the invisible"),
            ({"name": "a\x00b"}, "Remove the invisible"),
            ({"name": "x" * 101}, "at most 80 characters"),
        ],
    )
    def test_invalid_input_is_refused_at_field(self, visitor, link, fields, said):
        response = visitor.post(f"{link}join/", NEW | fields)
        assert response.status_code == 422
        assert said in text(response)
        if "name" not in fields:
            assert 'value="Nina New"' in text(response)
        assert not User.objects.filter(email="new@example.org").exists()
        assert Invitation.objects.count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_concurrent_submits_create_one_account_and_one_member(self, link, domain):
        responses = at_once(*[partial(Client().post, f"{link}join/", NEW)] * 2)
        answers = [response.status_code for response in responses]
        assert sorted(answers) in ([302, 302], [302, 410])
        assert User.objects.filter(email="new@example.org").count() == 1
        assert domain.memberships.filter(user__email="new@example.org").count() == 1
        assert Event.objects.filter(tag="member.joined").count() == 1

    def test_no_account_is_created_when_accepting_fails(self, visitor, link, monkeypatch):
        def refuse(*args, **kwargs):
            raise RuntimeError("audit is down")

        monkeypatch.setattr(Event.objects, "create", refuse)
        with pytest.raises(RuntimeError):
            visitor.post(f"{link}join/", NEW)
        assert not User.objects.filter(email="new@example.org").exists()
        assert Invitation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_accepts_create_one_member(as_alice, domain):
    invite(as_alice)
    link = link_in(delivered()[0])
    nina = make_user("new@example.org")
    clicks = [partial(sign_in(Client(), nina).post, f"{link}accept/") for _ in range(2)]
    assert sorted(response.status_code for response in at_once(*clicks)) == [302, 410]
    assert domain.memberships.filter(user=nina).count() == 1
