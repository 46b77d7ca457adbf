"""A suspended domain stays suspended: it can't be deleted, and its name can't be authorized in any account."""

from functools import partial
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client

from audit.models import Event
from credentials.outcome import Outcome
from domains.general import actions as general
from domains.members import actions as members
from domains.models import Domain, NameSuspended
from domains.verification.check import CheckResult, check_now
from tests.credentials.test_mail_views import rows
from tests.dns.conftest import nsd, running_nsd  # noqa: F401  (fixtures)
from tests.dns.server import proof
from tests.factories import SYSTEM, make_credential, make_domain, make_user, password_of
from tests.http import sign_in, text

pytestmark = pytest.mark.django_db
SETTINGS, DOMAINS = "/domains/sl.example.com/settings/", "/admin/domains/domain/"
REASON = "Support suspended this domain"


@pytest.fixture
def support(db):
    """A browser of support staff."""
    return sign_in(Client(), make_user("root@support.example", is_staff=True, is_superuser=True))


def act(client, name, *domains):
    fields = {"action": name, "_selected_action": [domain.pk for domain in domains], "reason": "spam"}
    return text(client.post(DOMAINS, fields, follow=True))


def sends() -> bool:
    """Whether a mail server accepts a login for the name."""
    return any(rows(view) for view in ("smtp_passdb", "smtp_passdb_previous", "smtp_sender"))


class TestOwners:
    @pytest.fixture(autouse=True)
    def suspended(self, support, domain, credential):
        act(support, "suspend", domain)

    def test_owners_cannot_delete_suspended_domain_and_see_why(self, as_alice, domain):
        page = text(as_alice.get(SETTINGS))
        assert f"{REASON}, so it can't be deleted. Contact support." in " ".join(page.split())
        assert "disabled" in page and f'href="{SETTINGS}delete/"' not in page
        asked = text(as_alice.get(f"{SETTINGS}delete/"))
        assert REASON in asked and 'name="name"' not in asked
        answer = as_alice.post(f"{SETTINGS}delete/", {"name": "sl.example.com"})
        assert answer.status_code == 422 and REASON in text(answer) and "Nothing was deleted." in text(answer)
        assert Domain.objects.get() == domain
        assert not Event.objects.filter(tag="domain.deleted").exists()

    def test_owners_cannot_add_suspended_name_again(self, as_alice, domain):
        assert "already in your list" in text(as_alice.post("/domains/add/", {"name": "sl.example.com"}))

    @pytest.mark.parametrize("act", ["transfer", "leave", "remove"])
    def test_transferred_domain_stays_suspended(self, as_alice, alice, bob, domain, act, second):
        rest = f"members/{act}/" if act == "leave" else f"members/{second.public_id}/{act}/"
        path, fields = ("transfer/", {"member": second.public_id}) if act == "transfer" else (rest, {})
        domain.memberships.create(user=make_user("olga@example.com"), role="owner")
        assert as_alice.post(f"{SETTINGS}{path}", fields).status_code == 302
        assert Domain.objects.get().suspended_at and not sends()

    @pytest.fixture
    def second(self, domain, bob):
        return domain.memberships.get(user=bob)

    def test_owners_can_delete_resumed_domain(self, as_alice, support, domain):
        act(support, "resume", domain)
        as_alice.post(f"{SETTINGS}delete/", {"name": "sl.example.com"})
        assert not Domain.objects.exists()


class TestName:
    """The same name in another account, usually of the user who was suspended."""

    @pytest.fixture
    def other(self, client, carol):
        """The same name, added by Carol through the form."""
        sign_in(client, carol).post("/domains/add/", {"name": "sl.example.com"})
        return Domain.objects.get(created_by=carol)

    @pytest.fixture(params=[False, True])
    def suspended(self, request, support, alice):
        """Alice's, pending or authorized."""
        domain = make_domain("sl.example.com", owner=alice, authorized=request.param)
        make_credential(domain)
        act(support, "suspend", domain)
        return domain

    def test_suspended_name_is_not_authorized_by_dns(self, nsd, suspended, other, client):  # noqa: F811
        nsd.put(proof(other), proof(suspended))
        assert check_now(other, by=SYSTEM) is CheckResult.SUSPENDED
        assert check_now(Domain.objects.get(pk=suspended.pk), by=SYSTEM) in (
            CheckResult.SUSPENDED,
            CheckResult.UNCHANGED,
        )
        other.refresh_from_db()
        assert other.authorized_at is None and not other.credentials.exists() and not sends()
        page = " ".join(text(client.get(f"{SETTINGS}dns/")).split())
        assert "its name is suspended on this server. Contact support" in page

    def test_suspension_is_hidden_until_name_is_proved(self, nsd, suspended, other, client):  # noqa: F811
        check_now(other, by=SYSTEM)
        assert "suspended" not in text(client.get(f"{SETTINGS}dns/"))
        assert "is suspended" not in text(client.get("/domains/sl.example.com/"))

    def test_suspended_name_is_not_authorized_by_staff_or_command(self, support, suspended, other):
        for row in (suspended, other):
            assert "resume it first" in act(support, "authorize", row)
        with pytest.raises(CommandError, match=r"sl\.example\.com is suspended\. Resume it in the admin first"):
            call_command("authorize_domain", "sl.example.com", "--owner", "carol@example.com")
        with pytest.raises(CommandError, match=r"sl\.example\.com is suspended"):
            call_command("authorize_domain", "sl.example.com", "--owner", "alice@example.com")
        assert not sends() and not other.credentials.exists()

    def test_resumed_name_can_be_authorized(self, nsd, support, suspended, other):  # noqa: F811
        act(support, "resume", suspended)
        nsd.put(proof(other))
        expected = CheckResult.TAKEN if suspended.authorized_at else CheckResult.AUTHORIZED
        assert check_now(other, by=SYSTEM) is expected
        assert sends()

    def test_authorized_account_of_suspended_name_keeps_sending(self, support, suspended, other):
        """Support suspends a squatter, not the real owner; each row is suspended on its own."""
        if not suspended.authorized_at:
            suspended.resume(by=SYSTEM)
            other.authorize(by=SYSTEM)
            act(support, "suspend", suspended)
            assert sends()
            act(support, "suspend", other)
        assert not sends()


def test_suspension_survives_deleting_and_adding_again(nsd, as_alice, support, domain):  # noqa: F811
    """The way around a suspension that an owner had once."""
    credential = make_credential(domain)
    password = password_of(credential)
    act(support, "suspend", domain)
    as_alice.post(f"{SETTINGS}delete/", {"name": "sl.example.com"})
    as_alice.post("/domains/add/", {"name": "sl.example.com"})
    nsd.put(*[proof(row) for row in Domain.objects.all()])
    for row in Domain.objects.all():
        check_now(row, by=SYSTEM)
    as_alice.post(f"{SETTINGS}smtp/add/")
    for row in domain.credentials.all():
        outcome = row.__class__.objects.authenticate(row.username, password_of(row)).outcome
        assert outcome is Outcome.DOMAIN_SUSPENDED
    assert password_of(credential) == password and not sends()


def test_suspending_deleted_domain_is_reported(support, domain):
    stale = Domain.objects.get(pk=domain.pk)
    general.delete(domain, by=SYSTEM)
    for verb in (stale.suspend, stale.resume):
        with pytest.raises(Domain.DoesNotExist):
            verb(by=SYSTEM)
    assert "1 was already gone" in act(support, "suspend", stale)


class TestConcurrency:
    """Each act runs in a thread while the other one is in the middle of its transaction."""

    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture
    def both(self, alice, carol):
        return [make_domain("sl.example.com", owner=user, authorized=False) for user in (alice, carol)]

    def in_the_midst(self, first, second):
        """Run `first`, and `second` once that is done but not committed; return the result of `second`."""
        came = []

        def run():
            try:
                came.append(second())
            except Exception as error:
                came.append(error)
            finally:
                connection.close()

        thread = Thread(target=run)
        with transaction.atomic():
            first()
            thread.start()
            thread.join(0.5)
            assert not came, "It did not wait."
        thread.join()
        return came[0]

    @pytest.mark.parametrize("same", [True, False])
    def test_authorization_waits_for_suspension_and_is_refused(self, both, same):
        mine, theirs = both
        target = Domain.objects.get(pk=(mine if same else theirs).pk)
        came = self.in_the_midst(partial(mine.suspend, by=SYSTEM), partial(target.authorize, by=SYSTEM))
        assert isinstance(came, NameSuspended) and not sends()

    @pytest.mark.parametrize("same", [True, False])
    def test_suspension_waits_for_authorization(self, both, same):
        mine, theirs = both
        target = Domain.objects.get(pk=(mine if same else theirs).pk)
        assert self.in_the_midst(partial(mine.authorize, by=SYSTEM), partial(target.suspend, by=SYSTEM)) is True
        recorded = Event.objects.filter(tag__in=["domain.authorized", "domain.suspended"]).order_by("pk")
        assert list(recorded.values_list("tag", flat=True)) == ["domain.authorized", "domain.suspended"]
        assert sends() is not same

    def test_deletion_waits_for_suspension_and_is_refused(self, both):
        target = Domain.objects.get(pk=both[0].pk)
        came = self.in_the_midst(
            partial(both[0].suspend, by=SYSTEM), partial(general.delete, target, by=SYSTEM)
        )
        assert isinstance(came, NameSuspended) and Domain.objects.count() == 2

    def test_checks_and_suspensions_in_two_accounts_do_not_deadlock(self, nsd, both):  # noqa: F811
        """A check locks all rows of the name first, in their order, and then its own."""
        nsd.put(*map(proof, both))
        for _ in range(5):
            Domain.objects.update(check_started_at=None)
            threads = [Thread(target=self.quietly, args=(check_now, row)) for row in Domain.objects.all()]
            threads += [Thread(target=self.quietly, args=(Domain.suspend, row)) for row in Domain.objects.all()]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            assert self.failed == []
            [row.resume(by=SYSTEM) for row in Domain.objects.all()]

    def quietly(self, call, row):
        try:
            call(row, by=SYSTEM)
        except Exception as error:
            self.failed.append(error)
        finally:
            connection.close()

    @pytest.fixture(autouse=True)
    def fails(self):
        self.failed = []


def test_members_can_be_changed_while_domain_is_suspended(domain, bob):
    domain.suspend(by=SYSTEM)
    members.change_role(domain.memberships.get(user=bob), "manager", by=SYSTEM)
    assert Domain.objects.get().suspended_at
