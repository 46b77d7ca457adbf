"""Sending, resending and revoking invitations, through HTTP and mail."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.emails import Letter
from audit.models import Event
from domains.models.invitation import Invitation
from tests.domains.inviting import HTMX, URL, invite, link_in
from tests.factories import make_domain
from tests.http import delivered, text

pytestmark = pytest.mark.django_db


class TestInviting:
    @pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
    def test_invite_sends_email_with_link(self, as_alice, alice, domain, headers):
        page = text(
            as_alice.post(
                f"{URL}invite/", {"emails": "New@Example.org", "role": "manager"}, headers=headers, follow=True
            )
        )
        assert "Invitation sent." in page
        assert "in 7 days" in page
        invitation = domain.invitations.get()
        assert (invitation.email, invitation.role, invitation.invited_by) == (
            "new@example.org",
            "manager",
            alice,
        )
        (letter,) = delivered()
        assert (letter.to, letter.subject) == (
            ["new@example.org"],
            "alice@example.com invited you to sl.example.com",
        )
        assert "as manager" in letter.body
        assert "within 7 days" in letter.body
        assert link_in(letter) in letter.alternatives[0][0]
        event = Event.objects.get(tag="member.invited")
        assert (event.data, event.actor) == ({"member": "new@example.org", "role": "manager"}, alice)

    def test_many_addresses_on_lines_and_with_commas(self, as_alice, domain):
        response = as_alice.post(
            f"{URL}invite/",
            {"emails": "a@x.org, b@x.org;\r\n\r\n c@x.org\nA@X.ORG", "role": "viewer"},
            follow=True,
        )
        assert "3 invitations sent." in text(response)
        assert sorted(letter.to[0] for letter in delivered()) == ["a@x.org", "b@x.org", "c@x.org"]

    def test_invitation_to_several_domains_is_one_email(self, as_alice, alice, domain):
        for number in range(12):
            make_domain(f"d{number:02}.example", owner=alice)
        also = [f"d{number:02}.example" for number in range(12)]
        invite(as_alice, also=also)
        (letter,) = delivered()
        assert letter.subject == "alice@example.com invited you to sl.example.com and more domains"
        assert "d00.example\n" in letter.body
        assert "and 3 more" in letter.body
        assert Invitation.objects.values("key").distinct().count() == 1
        assert Invitation.objects.count() == Event.objects.filter(tag="member.invited").count() == 13

    def test_only_domains_that_inviter_owns_can_be_chosen(self, as_alice, alice, domain, carol):
        theirs = make_domain("theirs.example", owner=carol)
        theirs.memberships.create(user=alice, role="manager")
        make_domain("mine.example", owner=alice)
        listed = text(as_alice.get(f"{URL}invite/also/"))
        assert "mine.example" in listed and "theirs.example" not in listed
        for name in ("theirs.example", "none.example", "a\x00b.example"):
            response = invite(as_alice, also=["mine.example", name])
            assert response.status_code == 422
            # The choice is kept.
            assert re.search(r'value="mine.example" checked', text(response))
        assert not Invitation.objects.exists()

    def test_member_of_other_domain_is_invited_only_where_missing(self, as_alice, alice, domain, carol):
        other = make_domain("other.example", owner=alice)
        other.memberships.create(user=carol, role="viewer")
        invite(as_alice, carol.email, also=[other.name])
        assert domain.invitations.count() == 1
        assert other.invitations.count() == 0

    @pytest.mark.parametrize(
        ("emails", "said"),
        [
            ("", "Enter the e-mail address"),
            (" ,\n; ", "Enter the e-mail address"),
            ("a@b", "“a@b” is not an e-mail address"),
            ("root@localhost", "is not an e-mail address"),
            ("a@[127.0.0.1]", "is not an e-mail address"),
            ("x@example.org\nBcc: y@example.org", "“bcc: y@example.org” is not"),
            ("x" * 65 + "@example.org", "is not an e-mail address"),
            ("x@" + "a" * 60 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 63 + ".org", "is not an e-mail"),
            ("a\x00@example.org", "Remove the invisible characters"),
            ("<b>@example.org", "“&lt;b&gt;@example.org” is not"),
            ("x" * 6000, "at most"),
            ("\n".join(f"u{n}@x.org" for n in range(21)), "at most 20 addresses at once (you entered 21)"),
            ("alice@example.com", "You are already a member."),
            ("BOB@example.com", "bob@example.com is already a member"),
        ],
    )
    def test_invalid_input_is_refused_at_field(self, as_alice, domain, emails, said):
        for headers in ({}, HTMX):
            response = invite(
                as_alice, f"fine@example.org\n{emails}" if said[0] == "“" else emails, headers=headers
            )
            assert response.status_code == 422
            assert said in text(response)
        if said[0] == "“":
            assert "fine@example.org" in text(response)
        assert not Invitation.objects.exists()
        assert not Letter.objects.exists()

    def test_all_errors_are_reported_together(self, as_alice, link):
        page = text(invite(as_alice, "a@b, bob@example.com, new@example.org, c@d, fine@example.org"))
        for words in (
            "“a@b” is not",
            "“c@d” is not",
            "bob@example.com is already a member",
            "new@example.org is already invited",
        ):
            assert words in page

    @pytest.mark.parametrize("role", ["", "admin", "owner\x00"])
    def test_role_has_to_be_a_known_one(self, as_alice, domain, role):
        assert invite(as_alice, role=role).status_code == 422
        assert not Invitation.objects.exists()

    def test_error_for_invited_address_offers_to_resend(self, as_alice, link):
        response = invite(as_alice)
        assert response.status_code == 422
        resend = re.search(r'href="(/domains/[^"]+/resend/)" data-dialog>Resend', text(response))[1]
        assert "Invitation resent." in text(as_alice.post(resend, follow=True))
        new = link_in(delivered()[1])
        assert Client().get(link).status_code == 410
        assert Client().get(new).status_code == 200

    def test_address_of_expired_invitation_can_be_invited_again(self, as_alice, link):
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert "Expired" in text(as_alice.get(URL))
        assert Client().get(link).status_code == 410
        assert invite(as_alice).status_code == 302
        assert Client().get(link_in(delivered()[1])).status_code == 200

    def test_invitation_emails_are_limited_to_sixty_an_hour(self, as_alice, domain):
        for batch in range(3):
            assert invite(as_alice, ",".join(f"u{batch}-{n}@x.org" for n in range(20))).status_code == 302
        for headers in ({}, HTMX):
            response = invite(as_alice, "one@x.org,two@x.org", headers=headers)
            assert response.status_code == 429
            assert "Nothing was sent. Try again later." in text(response)
            assert "one@x.org,two@x.org" in text(response)
        assert Invitation.objects.count() == Letter.objects.count() == 60

    def test_revoked_link_stops_working(self, as_alice, link):
        invitation = Invitation.objects.get()
        revoke = f"{URL}invitations/{invitation.public_id}/revoke/"
        assert "Invitation revoked." in text(as_alice.post(revoke, follow=True))
        assert Client().get(link).status_code == 410
        assert as_alice.post(revoke).status_code == 404
        assert Event.objects.filter(tag="member.invitation_revoked").count() == 1
