"""Keys that are right, wrong, missing, added, and taken out of use."""

import pytest
from django.core.management import CommandError, call_command

from accounts import emails
from accounts.emails import Letter
from audit.actor import Actor
from credentials.models import Credential
from credentials.sealed_columns import SMTP_PASSWORDS
from tests.accounts.codes import make_totp
from tests.factories import make_credential, password_of
from tests.http import smtp_url, text
from vault import cipher, keyring, sealed_mode
from vault.keyring import KeyCanary
from vault.management.commands import retire_key
from vault.registry import SealedColumn

pytestmark = pytest.mark.django_db


@pytest.fixture
def k1(settings):
    settings.CREDENTIAL_KEYS = f"k1:{cipher.new_key()}"
    assert keyring.examine() == ""
    return settings.CREDENTIAL_KEYS


@pytest.fixture
def k2(settings):
    """A second key, not in use yet."""
    return f"k2:{cipher.new_key()}"


@pytest.fixture
def sealed_site(monkeypatch):
    """Let the middleware know what `keyring.examine` says now."""
    monkeypatch.setattr(sealed_mode, "_problem", "")
    return sealed_mode.check


def canaries():
    return set(KeyCanary.objects.values_list("key_id", flat=True))


def test_the_first_start_plants_a_canary_and_the_next_one_finds_it(k1):
    token = KeyCanary.objects.get().token
    assert keyring.examine() == "" and KeyCanary.objects.get().token == token


def test_a_canary_is_planted_for_each_new_key(settings, k1, k2):
    settings.CREDENTIAL_KEYS = f"{k2},{k1}"
    assert keyring.examine() == "" and canaries() == {"k1", "k2"}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("", "there is no key"),
        ("k1:AAAA", "3 bytes instead of 32"),
        (f"k1:{cipher.new_key()}", "'k1' of CREDENTIAL_KEYS is not the one"),
        (f"k2:{cipher.new_key()}", "lacks the key 'k1'"),
    ],
)
def test_wrong_keys_are_reported_and_plant_no_canary(settings, k1, keys, said):
    settings.CREDENTIAL_KEYS = keys
    assert said in keyring.examine()
    assert canaries() == {"k1"}


def test_a_database_from_before_the_canaries_is_tried_by_what_it_stores(settings, credential):
    assert not KeyCanary.objects.exists()
    settings.CREDENTIAL_KEYS = f"k1:{cipher.new_key()}"
    assert "does not open the stored SMTP passwords" in keyring.examine()
    assert not KeyCanary.objects.exists()


def test_a_sealed_site_answers_nothing_and_changes_nothing(settings, as_alice, k1, domain, sealed_site):
    credential = make_credential(domain)
    settings.CREDENTIAL_KEYS = f"k1:{cipher.new_key()}"
    sealed_site()
    for response in (
        as_alice.get("/"),
        as_alice.get(smtp_url(domain)),
        as_alice.post(smtp_url(credential, "reset")),
    ):
        assert response.status_code == 503
        assert "SendLayer is sealed" in text(response)
        assert "default-src 'none'" in response["Content-Security-Policy"]
    response = as_alice.post(smtp_url(credential, "copy"), headers={"Accept": "text/plain"})
    assert response.status_code == 503 and "sealed" in text(response)
    before = credential.password_changed_at
    credential.refresh_from_db()
    assert credential.password_changed_at == before
    settings.CREDENTIAL_KEYS = k1
    sealed_site()
    assert as_alice.get(smtp_url(domain)).status_code == 200


def test_keys_are_checked_again_after_a_database_outage(as_alice, k1, domain, sealed_site, monkeypatch):
    answers = iter([None, ""])
    monkeypatch.setattr(keyring, "examine", lambda: next(answers))
    assert sealed_site() is None
    assert as_alice.get(smtp_url(domain)).status_code == 200
    assert as_alice.get(smtp_url(domain)).status_code == 200  # and no more than once


def stored(alice, domain):
    """One secret of each kind, sealed with the keys of now."""
    make_totp(alice)
    emails.post("alice@example.com", "Hello", "sl_secret")
    deleted = make_credential(domain)
    deleted.remove(by=domain_owner(alice))
    return [make_credential(domain) for _ in range(3)]


def domain_owner(alice):
    return Actor(alice.email, alice)


def test_rotate_keys_reseals_everything_and_the_old_key_retires(settings, k1, k2, alice, domain):
    rows = stored(alice, domain)
    passwords = [password_of(row) for row in rows]
    verifiers = list(Credential.objects.order_by("pk").values_list("verifier", "password_number"))
    settings.CREDENTIAL_KEYS = f"{k2},{k1}"
    with pytest.raises(CommandError, match="still needed by 3 SMTP passwords, .*two-factor secrets.*letter"):
        call_command("retire_key", "k1")
    call_command("rotate_keys", batch=2)
    assert [password_of(row) for row in rows] == passwords
    assert list(Credential.objects.order_by("pk").values_list("verifier", "password_number")) == verifiers
    call_command("retire_key", "k1")
    settings.CREDENTIAL_KEYS = k2
    assert keyring.examine() == ""
    assert [password_of(row) for row in rows] == passwords
    assert Letter.objects.first().message().body.startswith("sl_secret")


def test_interrupted_rotation_continues(settings, k1, k2, alice, domain, monkeypatch):
    rows = stored(alice, domain)
    settings.CREDENTIAL_KEYS = f"{k2},{k1}"
    whole, done = SealedColumn.reseal, []

    def stop_at_the_third_password(self, row):
        done.append(self.column)
        if done.count(SMTP_PASSWORDS.column) == 3:
            raise KeyboardInterrupt
        return whole(self, row)

    with monkeypatch.context() as patch:
        patch.setattr(SealedColumn, "reseal", stop_at_the_third_password)
        with pytest.raises(KeyboardInterrupt):
            call_command("rotate_keys", batch=1)
    assert Credential.objects.filter(password_sealed__startswith="v1.k2.").count() == 2
    call_command("rotate_keys")
    assert all(row.password_sealed.startswith("v1.k2.") for row in Credential.objects.all())
    assert all(password_of(row) for row in rows)


def test_rotation_does_not_overwrite_a_concurrent_reset(settings, k1, k2, alice, domain):
    credential = make_credential(domain)
    stale = Credential.objects.get(pk=credential.pk)
    settings.CREDENTIAL_KEYS = f"{k2},{k1}"
    new = credential.reset_password(by=domain_owner(alice))
    assert SMTP_PASSWORDS.reseal(stale) is False
    assert password_of(credential) == new


def test_rotation_names_and_leaves_what_no_key_unseals(settings, k1, k2, domain, capsys):
    credential, other = make_credential(domain), make_credential(domain)
    Credential.objects.filter(pk=credential.pk).update(password_sealed=other.password_sealed)
    settings.CREDENTIAL_KEYS = f"{k2},{k1}"
    with pytest.raises(CommandError, match="1 rows could not be opened"):
        call_command("rotate_keys")
    assert f"row {credential.pk}" in capsys.readouterr().err
    assert password_of(other)


@pytest.mark.parametrize(("id", "said"), [("k1", "the first of CREDENTIAL_KEYS"), ("k9", "No key 'k9'")])
def test_a_key_that_seals_or_never_was_does_not_retire(k1, id, said):
    with pytest.raises(CommandError, match=said):
        call_command("retire_key", id)


def from_a_shell(command, **options):
    """Run a command with the checks that come before it there."""
    command.Command().execute(force_color=False, no_color=False, skip_checks=False, **options)


def test_a_key_that_was_lost_before_it_sealed_anything_retires_and_one_that_sealed_does_not(
    settings, k1, k2, domain
):
    settings.CREDENTIAL_KEYS = f"{k1},{k2}"
    assert keyring.examine() == ""
    make_credential(domain)
    settings.CREDENTIAL_KEYS = k1
    assert "lacks the key 'k2'" in keyring.examine()
    from_a_shell(retire_key, id="k2")
    assert keyring.examine() == ""
    settings.CREDENTIAL_KEYS = f"k3:{cipher.new_key()}"
    with pytest.raises(CommandError, match="'k1' is still needed by 1 SMTP passwords"):
        from_a_shell(retire_key, id="k1")
    settings.CREDENTIAL_KEYS = ""
    with pytest.raises(CommandError, match="there is no key"):
        from_a_shell(retire_key, id="k1")


@pytest.mark.parametrize("id", ["", "k 2", "k:2", "k,2", "k,k2", "k" * 33, "k2 "])
def test_no_key_is_made_that_could_not_be_used(id, capsys):
    with pytest.raises(CommandError, match="1 to 32 letters"):
        call_command("keygen", id)
    assert capsys.readouterr().out == ""


def test_a_retired_key_that_seals_again_is_needed_again(settings, k1, k2):
    settings.CREDENTIAL_KEYS = f"{k2},{k1}"
    assert keyring.examine() == ""
    call_command("retire_key", "k1")
    settings.CREDENTIAL_KEYS = f"{k1},{k2}"
    assert keyring.examine() == ""
    settings.CREDENTIAL_KEYS = k2
    assert "lacks the key 'k1'" in keyring.examine()
