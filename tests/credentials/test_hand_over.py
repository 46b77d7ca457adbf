"""Hand over: a link that shows one password once to somebody without an account, through HTTP."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from credentials.models import Credential, DeletedCredential, HandOver
from credentials.models.hand_over import MAX_OPEN, VALID_FOR
from credentials.views import rate_limits
from domains.activity.sentences import plain
from domains.models import Domain, Membership
from tests.factories import SYSTEM, make_credential, make_domain, make_user, password_of
from tests.http import at_once, delivered, sign_in, smtp_url, text
from tests.secret_forms import forms_of

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def link_of(response) -> str:
    """The path of the link that the answer to Make link shows."""
    return re.search(
        r"<code class=\"block\">http://127.0.0.1:8000(/hand-over/key/[\w-]{32}/)</code>", text(response)
    )[1]


def make_link(client, credential, valid_for="7d") -> str:
    return link_of(client.post(smtp_url(credential, "hand_over"), {"valid_for": valid_for}))


def revoke_url(credential, hand_over):
    return f"{smtp_url(credential, 'hand_over')}{hand_over.public_id}/revoke/"


@pytest.fixture
def visitor():
    """A browser without a session, which insists on tokens where they are required."""
    return Client(enforce_csrf_checks=True, REMOTE_ADDR="203.0.113.9", headers={"User-Agent": "Phone"})


@pytest.fixture
def link(as_alice, credential):
    return make_link(as_alice, credential)


class TestOpening:
    def test_get_asks_and_post_shows_username_password_host_and_port_once(self, visitor, link, credential):
        for _ in range(3):
            page = text(visitor.get(link))
            visitor.head(link)
        for words in (
            "alice@example.com",
            "sl.example.com",
            settings.SMTP_HOST,
            "shown once",
            ">Show</button>",
        ):
            assert words in page
        assert credential.username not in page and password_of(credential) not in page
        page = text(visitor.post(link))
        for words in (credential.username, password_of(credential), settings.SMTP_HOST, "STARTTLS"):
            assert words in page
        for response in (visitor.post(link), visitor.get(link)):
            assert response.status_code == 410 and "This link no longer works" in text(response)
            assert credential.username not in text(response)

    def test_label_is_not_shown(self, visitor, as_alice, domain):
        credential = make_credential(domain, label="Difficult customer")
        link = make_link(as_alice, credential)
        assert "Difficult" not in text(visitor.get(link)) + text(visitor.post(link))

    def test_event_names_link_maker_address_and_browser(self, visitor, link, credential, alice):
        visitor.post(link)
        made, opened = Event.objects.filter(tag__contains="hand").order_by("pk")
        assert (made.tag, made.actor, made.data["valid_for"]) == ("credential.handed_over", alice, "7 days")
        assert opened.tag == "credential.hand_over_opened" and opened.credential == credential.username
        assert (opened.actor, opened.actor_name) == (None, "Hand-over link of alice@example.com")
        assert (opened.ip, opened.user_agent) == ("203.0.113.9", "Phone")
        assert opened.data["link"] == made.data["link"]
        assert plain(made).startswith("made a hand-over link for") and "works for 7 days" in plain(made)
        assert plain(opened).startswith("was opened and showed the password of")

    def test_maker_gets_an_email_and_the_section_shows_address(self, visitor, as_alice, link, credential):
        visitor.post(link)
        letter = delivered()[-1]
        assert letter.to == ["alice@example.com"]
        assert letter.subject == "Your hand-over link for sl.example.com was opened"
        assert "203.0.113.9" in letter.body and password_of(credential) not in letter.body
        page = text(as_alice.get(smtp_url(credential, "hand_over")))
        assert "from 203.0.113.9, by the link of alice@example.com" in page and "Open links" not in page

    def test_pages_are_stored_indexed_and_referred_to_by_nobody(self, visitor, link):
        for response in (visitor.get(link), visitor.post(link), visitor.get(link)):
            assert response.headers["Cache-Control"] == "no-store, private"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert "noindex" in response.headers["X-Robots-Tag"]
            assert not response.cookies

    def test_form_without_origin_is_accepted(self, visitor, link, credential):
        """A browser that sends no Referer says "null"."""
        response = visitor.post(link, secure=True, headers={"Origin": "null"})
        assert password_of(credential) in text(response)

    def test_longest_address_of_a_maker_fits_into_the_event(self, visitor, credential):
        maker = make_user("m" * 64 + "@" + ".".join(["d" * 46] * 4) + "x")
        assert len(maker.email) == 253
        credential.domain.memberships.create(user=maker, role="manager")
        assert visitor.post(make_link(sign_in(Client(), maker), credential)).status_code == 200
        assert len(Event.objects.get(tag="credential.hand_over_opened").actor_name) == 254


class TestInvalidLinks:
    def test_all_get_the_same_answer(self, visitor, as_alice, credential):
        opened, revoked, old, reset = (make_link(as_alice, credential) for _ in range(4))
        rows = list(HandOver.objects.order_by("pk"))
        visitor.post(opened)
        as_alice.post(revoke_url(credential, rows[1]))
        made_at = timezone.now() - WEEK
        HandOver.objects.filter(pk=rows[2].pk).update(made_at=made_at, valid_until=made_at + WEEK)
        credential.reset_password(by=SYSTEM)
        unknown = f"/hand-over/key/{'x' * 32}/"
        odd = [
            f"/hand-over/key/{key}/" for key in ("x", "%00", "%F0%9F%92%A9", "x" * 3000, "a:b)", reset[16:-2])
        ]
        answers = set()
        for path in (opened, revoked, old, reset, unknown, *odd):
            for response in (visitor.get(path), visitor.post(path)):
                headers = {name: value for name, value in response.headers.items() if name != "X-Request-ID"}
                answers.add((response.status_code, response.content, str(headers)))
        assert len(answers) == 1 and answers.pop()[0] == 410

    def test_wrong_links_are_limited_by_address_and_good_ones_not_counted(
        self, visitor, link, credential, monkeypatch
    ):
        monkeypatch.setitem(rate_limits.LINK_RATES, "link", "3/10m/ip")
        for _ in range(5):
            assert visitor.get(link).status_code == 200
        wrong = f"/hand-over/key/{'x' * 32}/"
        assert [visitor.post(wrong).status_code for _ in range(5)] == [410, 410, 410, 429, 429]
        assert visitor.post(link).status_code == 429
        assert HandOver.objects.get().opened_at is None
        assert Client(REMOTE_ADDR="203.0.113.10").post(link).status_code == 200

    def test_links_end_when_their_time_is_over(self, visitor, as_alice, credential):
        for value, time in VALID_FOR.items():
            link = make_link(as_alice, credential, value)
            row = HandOver.objects.latest("pk")
            assert row.valid_until - row.made_at == time
            HandOver.objects.filter(pk=row.pk).update(made_at=timezone.now() - time, valid_until=timezone.now())
            assert visitor.post(link).status_code == 410


class TestWhatEndsALink:
    @pytest.mark.parametrize("keep", ["", "7d"])
    def test_reset(self, visitor, as_alice, link, credential, keep):
        page = text(as_alice.get(smtp_url(credential, "reset")))
        assert "1 hand-over link is open and will stop working." in page
        as_alice.post(smtp_url(credential, "reset"), {"keep": keep})
        assert visitor.post(link).status_code == 410
        assert "Open links" not in text(as_alice.get(smtp_url(credential, "hand_over")))
        assert "hand-over link" not in text(as_alice.get(smtp_url(credential, "reset")))

    def test_delete_also_after_undo(self, visitor, as_alice, link, credential):
        assert "1 hand-over link is open" in text(as_alice.get(smtp_url(credential, "delete")))
        as_alice.post(smtp_url(credential, "delete"))
        assert visitor.post(link).status_code == 410
        DeletedCredential.objects.get().restore(by=SYSTEM)
        assert visitor.get(link).status_code == visitor.post(link).status_code == 410
        assert Credential.objects.get().password_number == 1

    @pytest.mark.parametrize(
        "loses_it",
        [
            lambda user: Membership.objects.filter(user=user).delete(),
            lambda user: Membership.objects.filter(user=user).update(role="viewer"),
            lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
            lambda user: user.emailaddress_set.update(verified=False),
            lambda user: user.delete(),
        ],
    )
    def test_maker_who_may_no_longer_show_the_password(self, visitor, as_alice, credential, bob, loses_it):
        Membership.objects.filter(user=bob).update(role="manager")
        link = make_link(sign_in(Client(), bob), credential)
        assert visitor.get(link).status_code == 200
        assert "by bob@example.com" in text(as_alice.get(smtp_url(credential, "hand_over")))
        loses_it(bob)
        assert visitor.get(link).status_code == visitor.post(link).status_code == 410
        assert "Open links" not in text(as_alice.get(smtp_url(credential, "hand_over")))

    def test_maker_who_left_and_joined_again(self, visitor, credential, bob):
        Membership.objects.filter(user=bob).update(role="manager")
        link = make_link(sign_in(Client(), bob), credential)
        Membership.objects.filter(user=bob).delete()
        credential.domain.memberships.create(user=bob, role="owner")
        assert visitor.post(link).status_code == 410

    def test_role_in_another_domain_does_not_count(self, visitor, credential, bob):
        Membership.objects.filter(user=bob).update(role="manager")
        link = make_link(sign_in(Client(), bob), credential)
        other = make_domain("other.example.com")
        Membership.objects.filter(user=bob).update(domain=other)
        assert visitor.post(link).status_code == 410

    def test_deleted_domain(self, visitor, link, credential):
        credential.domain.delete()
        assert visitor.post(link).status_code == 410

    def test_another_secret_key(self, visitor, link, settings):
        settings.SECRET_KEY = "x" * 50
        assert visitor.get(link).status_code == 410


class TestWhatIsRefusedForNow:
    @pytest.mark.parametrize(
        ("stop", "resume"),
        [
            (lambda row: row.suspend(by=SYSTEM), lambda row: row.resume(by=SYSTEM)),
            (
                lambda row: row.suspend(by=SYSTEM, as_support=True),
                lambda row: row.resume(by=SYSTEM, as_support=True),
            ),
            (
                lambda row: Credential.objects.update(expires_at=timezone.now()),
                lambda row: Credential.objects.update(expires_at=None),
            ),
            (lambda row: row.domain.suspend(by=SYSTEM), lambda row: row.domain.resume(by=SYSTEM)),
            (
                lambda row: Domain.objects.update(authorized_at=None),
                lambda row: Domain.objects.update(authorized_at=timezone.now()),
            ),
        ],
        ids=["suspended", "by support", "expired", "domain suspended", "not authorized"],
    )
    def test_link_waits_and_does_not_say_why(self, visitor, as_alice, link, credential, stop, resume):
        stop(credential)
        for response in (visitor.get(link), visitor.post(link)):
            assert response.status_code == 409 and "Your link isn't used up" in text(response)
            for word in ("suspend", "support", "expire", "authorize", credential.username, "sl.example.com"):
                assert word not in text(response).lower()
        response = as_alice.post(smtp_url(credential, "hand_over"), {"valid_for": "1h"})
        assert response.status_code == 409 and HandOver.objects.count() == 1
        resume(credential)
        assert password_of(credential) in text(visitor.post(link))

    def test_password_that_no_key_unseals_leaves_link_and_events(self, visitor, link, credential):
        Credential.objects.update(password_sealed="v1.gone." + "A" * 80)  # noqa: S106
        response = visitor.post(link)
        assert response.status_code == 503 and "CREDENTIAL_KEYS" not in text(response)
        assert HandOver.objects.get().opened_at is None
        assert not Event.objects.filter(tag="credential.hand_over_opened").exists()


class TestMaking:
    def test_question_makes_nothing_and_answer_shows_link_once(self, as_alice, credential):
        page = text(as_alice.get(smtp_url(credential, "hand_over")))
        assert "without an account" in page and '<option value="7d">7 days</option>' in page
        assert not HandOver.objects.exists()
        response = as_alice.post(smtp_url(credential, "hand_over"), {"valid_for": "24h"})
        link = link_of(response)
        assert "no-store" in response.headers["Cache-Control"]
        page = text(as_alice.get(smtp_url(credential, "hand_over")))
        assert link not in page and "Open links" in page and "by alice@example.com" in page
        assert Event.objects.get(tag="credential.handed_over").data["valid_for"] == "24 hours"

    @pytest.mark.parametrize("valid_for", ["", "8d", "7d\x00"])
    def test_other_periods_are_refused(self, as_alice, credential, valid_for):
        response = as_alice.post(smtp_url(credential, "hand_over"), {"valid_for": valid_for})
        assert response.status_code == 422 and "Choose one of these periods" in text(response)
        assert not HandOver.objects.exists()

    def test_counts_as_an_opened_password(self, as_alice, credential, monkeypatch):
        monkeypatch.setitem(rate_limits.PASSWORD_RATES, "open", "2/10m/user")
        make_link(as_alice, credential)
        as_alice.post(smtp_url(credential, "copy"))
        response = as_alice.post(smtp_url(credential, "hand_over"), {"valid_for": "7d"})
        assert response.status_code == 429 and HandOver.objects.count() == 1

    def test_only_some_are_open_at_once(self, as_alice, credential):
        for _ in range(MAX_OPEN):
            make_link(as_alice, credential)
        response = as_alice.post(smtp_url(credential, "hand_over"), {"valid_for": "7d"})
        assert response.status_code == 409 and "10 links are open. Revoke one first." in text(response)
        as_alice.post(revoke_url(credential, HandOver.objects.first()))
        make_link(as_alice, credential)

    @pytest.mark.parametrize("count", [1, 5])
    def test_number_of_queries_does_not_depend_on_links(
        self, as_alice, credential, count, django_assert_num_queries
    ):
        for _ in range(count):
            make_link(as_alice, credential)
        with django_assert_num_queries(6):
            as_alice.get(smtp_url(credential, "hand_over"))


class TestRevoking:
    def test_question_and_answer(self, visitor, as_alice, link, credential):
        url = revoke_url(credential, HandOver.objects.get())
        assert "Are you sure you want to revoke this link?" in text(as_alice.get(url))
        assert visitor.get(link).status_code == 200
        assert "Hand-over link revoked." in text(as_alice.post(url, follow=True))
        assert visitor.post(link).status_code == 410
        event = Event.objects.get(tag="credential.hand_over_revoked")
        assert plain(event).startswith("revoked the hand-over link of alice@example.com for")
        assert "no longer open" in text(as_alice.post(url, follow=True))
        assert Event.objects.filter(tag="credential.hand_over_revoked").count() == 1

    def test_opened_link_can_not_be_revoked(self, visitor, as_alice, link, credential):
        visitor.post(link)
        page = text(as_alice.post(revoke_url(credential, HandOver.objects.get()), follow=True))
        assert "no longer open" in page and HandOver.objects.get().revoked_at is None

    def test_link_of_another_credential_is_absent(self, as_alice, link, credential):
        other = make_credential(credential.domain)
        as_alice.post(revoke_url(other, HandOver.objects.get()))
        assert HandOver.objects.get().revoked_at is None

    def test_support_sees_and_revokes_it_with_a_reason(self, client, visitor, link, credential):
        sign_in(client, make_user("root@support.example", is_staff=True, is_superuser=True))
        row, pages = HandOver.objects.get(), "/admin/credentials/handover/"
        for path in (pages, f"{pages}{row.pk}/change/", f"{pages}?q={credential.username}"):
            page = text(client.get(path))
            assert "Open" in page and "alice@example.com" in page
            assert credential.username in page or credential.short_username in page
            assert row.digest not in page and link[16:-1] not in page
        fields = {"action": "revoke", "_selected_action": row.pk, "reason": "asked by phone"}
        assert "1 revoked." in text(client.post(pages, fields, follow=True))
        assert visitor.post(link).status_code == 410
        event = Event.objects.get(tag="credential.hand_over_revoked")
        assert event.data["reason"] == "asked by phone" and event.actor_name == "root@support.example"
        assert "1 was no longer open." in text(client.post(pages, fields, follow=True))


class TestRows:
    def test_key_is_in_no_table(self, visitor, as_alice, credential):
        """tests/submission/test_no_secret_in_logs.py searches the logs."""
        opened, is_open = make_link(as_alice, credential), make_link(as_alice, credential)
        visitor.post(opened)
        rows = []
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names():
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
                rows += cursor.fetchall()
        held = repr(rows)
        assert HandOver.objects.first().digest in held and "credential.hand_over_opened" in held
        for link in (opened, is_open):
            assert not [form for form in forms_of(link.split("/")[3]) if form in held.encode()]

    def test_tidy_erases_links_30_days_after_their_time(self, link, as_alice, credential):
        make_link(as_alice, credential)
        old = HandOver.objects.first()
        over = timezone.now() - timedelta(days=30, minutes=1)
        HandOver.objects.filter(pk=old.pk).update(made_at=over - WEEK, valid_until=over)
        call_command("tidy")
        assert list(HandOver.objects.values_list("pk", flat=True)) == [old.pk + 1]


@pytest.mark.django_db(transaction=True)
class TestConcurrency:
    def test_of_several_presses_exactly_one_shows(self, as_alice, credential):
        link = make_link(as_alice, credential)
        statuses = at_once(*[lambda: Client().post(link).status_code] * 4)
        assert sorted(statuses) == [200, 410, 410, 410]
        assert Event.objects.filter(tag="credential.hand_over_opened").count() == 1

    def test_press_and_revoke_never_both_succeed(self, as_alice, credential):
        for _ in range(3):
            link = make_link(as_alice, credential)
            row = HandOver.objects.latest("pk")
            status, is_revoked = at_once(
                lambda link=link: Client().post(link).status_code, lambda row=row: row.revoke(by=SYSTEM)
            )
            assert (status, is_revoked) in [(200, False), (410, True)]

    def test_press_during_a_reset_never_shows_the_new_password(self, as_alice, credential):
        for _ in range(3):
            link, before = make_link(as_alice, credential), password_of(credential)
            fresh = Credential.objects.get(pk=credential.pk)
            page, _new = at_once(
                lambda link=link: text(Client().post(link)), lambda row=fresh: row.reset_password(by=SYSTEM)
            )
            assert password_of(credential) not in page
            assert before in page or "no longer works" in page

    def test_press_without_event_shows_nothing_and_leaves_link(self, as_alice, credential, monkeypatch):
        link = make_link(as_alice, credential)

        def fail(*args, **kwargs):
            raise RuntimeError

        with monkeypatch.context() as patch:
            patch.setattr("audit.record", fail)
            response = Client(raise_request_exception=False).post(link)
        assert response.status_code == 500 and password_of(credential) not in text(response)
        assert password_of(credential) in text(Client().post(link))
