"""Deleted credentials: kept for 24 hours, restored as they were, erased."""

from datetime import timedelta
from functools import partial

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from audit.models import Event
from credentials.models import Credential, LoginDay
from credentials.models.deleted import RESTORABLE_FOR, DeletedCredential, erase_due_at_start
from credentials.models.retired import RetiredPassword
from credentials.outcome import Outcome
from domains.models import Domain
from tests.factories import PASSWORD, SYSTEM, make_credential, make_domain, make_use, password_of
from tests.http import at_once, delivered, sign_in, smtp_url, text

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/domains/sl.example.com/settings/smtp/"}
EXCEPT = ("issue_key", "checked_at", "checked_from")


def row(credential):
    return Credential.objects.values().get(pk=credential.pk)


def outcome(username, password):
    return Credential.objects.authenticate(username, password).outcome


def delete(credential, *, ago=timedelta(0), by=SYSTEM):
    """Delete a credential, `ago`; return what is kept of it."""
    username = credential.username
    Credential.objects.get(pk=credential.pk).remove(by=by)
    DeletedCredential.objects.filter(username=username).update(deleted_at=timezone.now() - ago)
    return DeletedCredential.objects.get(username=username)


def urls(domain, *names):
    base = smtp_url(domain)
    return [base + name for name in names]


class TestRestoring:
    def test_brings_back_the_same_row(self, domain, alice):
        now = timezone.now()
        credential = make_credential(
            domain,
            label="Shop",
            allowed_networks="192.0.2.0/24",
            expires_at=now + timedelta(days=9),
            created_at=now - timedelta(days=400),
            created_by=alice,
            last_used_at=now - timedelta(days=2),
            last_used_ip="192.0.2.7",
        )
        credential.reset_password(by=SYSTEM, keep_old_for=timedelta(hours=1))
        before, password = row(credential), password_of(credential)
        deleted = delete(credential)
        assert outcome(credential.username, password) is Outcome.UNKNOWN_USERNAME
        deleted.restore(by=SYSTEM)
        assert row(credential) == before | dict.fromkeys(EXCEPT)
        assert outcome(credential.username, password) is Outcome.ACCEPTED
        assert not DeletedCredential.objects.exists()

    def test_keeps_a_suspended_one_suspended_and_knows_its_password_again(self, credential):
        credential.suspend(by=SYSTEM)
        password = password_of(credential)
        deleted = delete(credential)
        assert RetiredPassword.objects.get().why == "deleted"
        deleted.restore(by=SYSTEM)
        assert outcome(credential.username, password) is Outcome.SUSPENDED
        assert RetiredPassword.objects.get().why == "suspended"

    def test_forgets_that_its_password_was_retired_but_not_an_older_one(self, credential):
        credential.reset_password(by=SYSTEM)
        delete(credential).restore(by=SYSTEM)
        assert [password.why for password in RetiredPassword.objects.all()] == ["reset"]

    def test_brings_back_what_was_counted_of_it(self, credential):
        make_use(credential, outcome=Outcome.WRONG_PASSWORD, number=3)
        before = row(credential)
        delete(credential).restore(by=SYSTEM)
        assert row(credential) == before
        assert LoginDay.objects.get(username=credential.username).count == 3

    def test_restore_is_recorded_and_mailed_to_owners(self, credential):
        delete(credential).restore(by=SYSTEM)
        tags = Event.objects.order_by("-pk").values_list("tag", flat=True)[:2]
        assert list(tags) == ["credential.restored", "credential.deleted"]
        subjects = [letter.subject for letter in delivered()]
        assert subjects == [
            "SMTP user deleted for sl.example.com",
            "SMTP user restored for sl.example.com",
        ]

    def test_brings_it_back_only_once_and_only_within_24_hours(self, domain):
        once, late = delete(make_credential(domain)), delete(make_credential(domain), ago=RESTORABLE_FOR)
        once.restore(by=SYSTEM)
        for deleted in (once, late):
            with pytest.raises(DeletedCredential.DoesNotExist):
                DeletedCredential(pk=deleted.pk, domain=domain).restore(by=SYSTEM)
        assert domain.credentials.count() == 1

    def test_does_not_bring_back_the_password_from_before_a_reset(self, credential):
        stale, old = Credential.objects.get(pk=credential.pk), password_of(credential)
        new = credential.reset_password(by=SYSTEM)
        delete(stale).restore(by=SYSTEM)
        assert outcome(credential.username, old) is Outcome.WRONG_PASSWORD
        assert outcome(credential.username, new) is Outcome.ACCEPTED

    def test_into_a_domain_that_may_not_send_leaves_it_refused(self, credential):
        password, deleted = password_of(credential), delete(credential)
        Domain.objects.update(suspended_at=timezone.now())
        deleted.restore(by=SYSTEM)
        assert outcome(credential.username, password) is Outcome.DOMAIN_SUSPENDED

    def test_when_the_event_cannot_be_written_it_stays_deleted(self, credential, monkeypatch):
        deleted = delete(credential)
        monkeypatch.setattr(Event.objects, "create", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            deleted.restore(by=SYSTEM)
        assert DeletedCredential.objects.count() == 1 and not Credential.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_by_four_at_once_one_brings_it_back(self, credential):
        pk = delete(credential).pk

        def tried():
            try:
                return DeletedCredential.objects.get(pk=pk).restore(by=SYSTEM).pk
            except DeletedCredential.DoesNotExist:
                return None

        assert sorted(at_once(*[tried] * 4), key=bool) == [None, None, None, credential.pk]
        assert Event.objects.filter(tag="credential.restored").count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_and_erasing_at_once_leave_all_of_it_or_nothing(self, domain):
        for _ in range(5):
            credential = make_credential(domain)
            deleted = delete(credential)
            acts = [partial(deleted.restore, by=SYSTEM), partial(deleted.erase, by=SYSTEM)]
            results = at_once(*(partial(_attempt, act) for act in acts))
            assert results in ([True, False], [False, True])
            assert Credential.objects.filter(pk=credential.pk).exists() == results[0]

    @pytest.mark.django_db(transaction=True)
    def test_deleting_by_four_at_once_keeps_one(self, credential):
        acts = [partial(_attempt, partial(Credential.objects.get(pk=credential.pk).remove, by=SYSTEM))] * 4
        assert sorted(at_once(*acts)) == [False, False, False, True]
        assert DeletedCredential.objects.count() == 1


def _attempt(act):
    try:
        act()
    except (DeletedCredential.DoesNotExist, Credential.DoesNotExist):
        return False
    return True


class TestErasing:
    def test_erases_what_is_due_and_keeps_the_rest_and_all_logins(self, domain):
        kept, gone = make_credential(domain), make_credential(domain)
        for credential in (kept, gone):
            make_use(credential, outcome=Outcome.WRONG_PASSWORD)
        delete(gone, ago=RESTORABLE_FOR)
        delete(kept, ago=RESTORABLE_FOR - timedelta(minutes=1))
        call_command("tidy")
        assert DeletedCredential.objects.get().username == kept.username
        now = timezone.now()
        assert domain.login_days.recent(now).by_day() == {now.date(): (0, 2)}

    def test_more_than_fit_into_one_statement(self, domain, monkeypatch):
        monkeypatch.setattr("credentials.models.deleted.CHUNK", 2)
        for _ in range(5):
            delete(make_credential(domain), ago=RESTORABLE_FOR)
        assert DeletedCredential.objects.erase_due(timezone.now()) == 5
        assert not DeletedCredential.objects.exists()

    def test_at_the_start_without_a_database_is_left_for_later(self, monkeypatch, caplog):
        def refuse(now):
            raise DatabaseError

        monkeypatch.setattr(DeletedCredential.objects, "erase_due", refuse)
        erase_due_at_start()
        assert "not erased yet" in caplog.text

    def test_goes_with_the_domain_which_says_so(self, as_alice, credential):
        delete(credential)
        page = text(as_alice.get("/domains/sl.example.com/settings/delete/"))
        assert "1 recently deleted SMTP user, which could still be restored" in page
        Domain.objects.all().delete()
        assert not DeletedCredential.objects.exists()

    @pytest.mark.sqlite
    def test_overwrites_what_sqlite_frees(self):
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA secure_delete").fetchone() == (1,)


class TestUndo:
    def test_is_offered_by_the_toast_and_brings_the_row_back(self, as_alice, credential):
        password = password_of(credential)
        answer = text(as_alice.post(smtp_url(credential, "delete"), headers=HTMX))
        assert "SMTP user is deleted." in answer and ">Undo</button>" in answer
        (restore,) = urls(credential.domain, "deleted/restore/")
        assert f'action="{restore}" hx-post="{restore}"' in answer
        assert f'<input type="hidden" name="username" value="{credential.username}">' in answer
        answer = as_alice.post(restore, {"username": credential.username}, headers=HTMX)
        assert "SMTP user restored." in text(answer)
        assert f'id="cred-{credential.username}"' in text(answer)
        assert outcome(credential.username, password) is Outcome.ACCEPTED

    def test_without_a_script_is_a_plain_form_on_the_next_page(self, as_alice, credential):
        page = text(as_alice.post(smtp_url(credential, "delete"), follow=True))
        assert ">Undo</button>" in page and "hx-post" not in page.partition("data-undo")[0][-200:]
        (restore,) = urls(credential.domain, "deleted/restore/")
        page = text(as_alice.post(restore, {"username": credential.username}, follow=True))
        assert "SMTP user restored." in page and f'id="cred-{credential.username}"' in page

    def test_undo_after_sign_out_is_not_done_and_leads_to_the_list_of_deleted(self, client, alice, credential):
        deleted = delete(credential)
        restore, listed = urls(credential.domain, "deleted/restore/", "deleted/")
        login = client.post(restore, {"username": deleted.username})["Location"]
        page = client.post(login, {"login": alice.email, "password": PASSWORD}, follow=True)
        assert "Nothing was done." in text(page) and f'href="{restore}">Try again</a>' in text(page)
        page = client.get(restore, follow=True)
        assert page.redirect_chain[-1] == (listed, 302) and deleted.username in text(page)

    def test_a_second_time_says_that_there_is_nothing_to_restore(self, as_alice, credential):
        deleted = delete(credential)
        deleted.restore(by=SYSTEM)
        (restore,) = urls(credential.domain, "deleted/restore/")
        answer = as_alice.post(restore, {"username": credential.username}, headers=HTMX)
        assert answer.status_code == 404 and "Nothing was restored" in text(answer)
        assert Event.objects.filter(tag="credential.restored").count() == 1

    @pytest.mark.parametrize("username", ["", "x", "a\x00b", "0" * 32, "9" * 5000])
    def test_restore_of_unknown_username_changes_nothing(self, as_alice, domain, username):
        (restore,) = urls(domain, "deleted/restore/")
        assert as_alice.post(restore, {"username": username}, headers=HTMX).status_code in (404, 422)
        assert not Credential.objects.exists()

    def test_restore_of_another_domains_user_is_not_found(self, as_alice, domain):
        theirs = delete(make_credential(make_domain("other.example.com")))
        (restore,) = urls(domain, "deleted/restore/")
        assert as_alice.post(restore, {"username": theirs.username}, headers=HTMX).status_code == 404
        assert DeletedCredential.objects.count() == 1

    @pytest.mark.parametrize(
        ("ago", "mine", "asked"), [(0, True, False), (3, True, True), (0, False, True)], ids=str
    )
    def test_asks_for_no_sign_in_right_after_ones_own_delete(self, client, alice, credential, ago, mine, asked):
        sign_in(client, alice, ago=timedelta(hours=1))
        deleted = delete(credential, ago=timedelta(minutes=ago))
        DeletedCredential.objects.update(deleted_by=alice if mine else None)
        (restore,) = urls(credential.domain, "deleted/restore/")
        answer = client.post(restore, {"username": deleted.username}, headers=HTMX)
        assert answer.status_code == (401 if asked else 200)
        assert Credential.objects.exists() is not asked


class TestRecentlyDeleted:
    def test_lists_what_can_be_restored_and_no_secret(self, as_alice, alice, domain, django_assert_num_queries):
        shop = make_credential(domain, label="Shop")
        secrets = [password_of(shop), shop.password_sealed, shop.verifier]
        for credential in (shop, make_credential(domain)):
            as_alice.post(smtp_url(credential, "delete"))
        delete(make_credential(domain, label="too old"), ago=RESTORABLE_FOR)
        as_alice.get(smtp_url(domain))  # takes the messages
        with django_assert_num_queries(5):
            page = text(as_alice.get(*urls(domain, "deleted/")))
        assert "Shop" in page and shop.username in page and ">in 24 hours</time>" in page
        assert page.count("alice@example.com</span></td>") == 2 and "too old" not in page
        assert not [secret for secret in secrets if secret in page]

    def test_says_what_it_is_for_when_it_is_empty(self, as_alice, domain):
        assert "deleted by mistake" in text(as_alice.get(*urls(domain, "deleted/")))
        assert urls(domain, "deleted/")[0] in text(as_alice.get(smtp_url(domain)))

    def test_gives_a_viewer_no_control(self, client, bob, credential):
        delete(credential)
        client.force_login(bob)
        page = text(client.get(*urls(credential.domain, "deleted/")))
        assert credential.username in page and "Restore" not in page and "Erase now" not in page

    def test_erase_now_asks_and_then_nothing_brings_it_back(self, as_alice, credential):
        delete(credential)
        erase, restore = urls(credential.domain, f"deleted/{credential.username}/erase/", "deleted/restore/")
        assert "Are you sure you want to erase" in text(as_alice.get(erase))
        assert DeletedCredential.objects.exists()
        assert "SMTP user erased." in text(as_alice.post(erase, follow=True))
        assert Event.objects.latest("pk").tag == "credential.erased"
        assert as_alice.post(restore, {"username": credential.username}, headers=HTMX).status_code == 404
        assert as_alice.post(erase).status_code == 404
        assert not Credential.objects.exists()

    def test_erase_now_asks_for_a_recent_sign_in(self, client, alice, credential):
        sign_in(client, alice, ago=timedelta(hours=1))
        delete(credential)
        answer = client.post(*urls(credential.domain, f"deleted/{credential.username}/erase/"))
        assert answer.url.startswith("/account/reauthenticate/")
        assert DeletedCredential.objects.exists()
