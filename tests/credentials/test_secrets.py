"""The password's format, its verifier and its sealed copy."""

import re

import pytest
from passlib.hash import ldap_salted_sha512

from credentials import passwords, verifier
from vault import cipher

KEY_1 = "k1:" + "A" * 43 + "="
KEY_2 = "k2:" + "B" * 43 + "="


def test_a_password_has_its_prefix_190_random_bits_and_a_checksum():
    made = {passwords.generate() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"sl_[0-9A-Za-z]{38}", password) for password in made)
    assert all(map(passwords.is_well_formed, made))


def test_typo_is_distinguished_from_a_password():
    password = passwords.generate()
    for position in range(3, len(password)):
        other = "a" if password[position] != "a" else "b"
        assert not passwords.is_well_formed(password[:position] + other + password[position + 1 :])
    assert not passwords.is_well_formed(password + "x")
    assert not passwords.is_well_formed(password + "\n")
    assert not passwords.is_well_formed("")


def test_a_verifier_is_what_passlib_and_dovecot_call_ssha512():
    made = verifier.make("sl_secret")
    assert made.startswith("{SSHA512}")
    assert ldap_salted_sha512.verify("sl_secret", made)
    assert verifier.check("sl_secret", made) == (True, False)
    assert verifier.check("sl_Secret", made) == (False, False)


@pytest.mark.parametrize("password", ["", "\x00", "sl_secret\x00", "ÿþ", "x" * 10_000])
def test_no_password_matches_a_missing_verifier(password):
    assert verifier.check(password, None) == (False, False)


def test_a_verifier_with_a_short_salt_is_stale():
    old = ldap_salted_sha512.using(salt_size=8).hash("sl_secret")
    assert verifier.check("sl_secret", old) == (True, True)
    assert verifier.check("wrong", old) == (False, False)


def test_the_vault_opens_what_it_sealed_and_never_seals_the_same_twice(settings):
    settings.CREDENTIAL_KEYS = KEY_1
    first, second = (cipher.seal("sl_secret", associated_data="A:password") for _ in range(2))
    assert first != second
    assert first.startswith("v1.k1.")
    assert "sl_secret" not in first
    assert (
        cipher.open(first, associated_data="A:password")
        == cipher.open(second, associated_data="A:password")
        == "sl_secret"
    )


def test_a_token_moved_to_another_place_does_not_open(settings):
    settings.CREDENTIAL_KEYS = KEY_1
    token = cipher.seal("sl_secret", associated_data="A:password")
    with pytest.raises(cipher.CannotOpen):
        cipher.open(token, associated_data="B:password")


@pytest.mark.parametrize(
    "token", ["", "v1", "v1.k1.", "v1.k1.AAAA", "v2.k1.AAAA", "v1.k9.AAAA", "v1.k1.é", "x.y.z.w"]
)
def test_a_broken_token_does_not_open(settings, token):
    settings.CREDENTIAL_KEYS = KEY_1
    with pytest.raises(cipher.CannotOpen):
        cipher.open(token, associated_data="A:password")


def test_a_changed_token_does_not_open(settings):
    settings.CREDENTIAL_KEYS = KEY_1
    token = cipher.seal("sl_secret", associated_data="A:password")
    changed = token[:-6] + ("A" if token[-6] != "A" else "B") + token[-5:]
    with pytest.raises(cipher.CannotOpen):
        cipher.open(changed, associated_data="A:password")


def test_the_first_key_seals_and_all_open(settings):
    settings.CREDENTIAL_KEYS = KEY_1
    old = cipher.seal("sl_secret", associated_data="A:password")
    settings.CREDENTIAL_KEYS = f"{KEY_2},{KEY_1}"
    assert cipher.seal("x", associated_data="A:password").startswith("v1.k2.")
    assert cipher.open(old, associated_data="A:password") == "sl_secret"
    settings.CREDENTIAL_KEYS = KEY_2
    with pytest.raises(cipher.CannotOpen):
        cipher.open(old, associated_data="A:password")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no key"),
        (" , ", "no key"),
        ("k1", "form id:base64key"),
        ("k 1:AAAA", "form id:base64key"),
        ("k1:not base64!", "not valid base64"),
        ("k1:AAAA", "3 bytes instead of 32"),
        (f"{KEY_1},{KEY_1}", "twice"),
    ],
)
def test_a_malformed_keyring_is_refused_and_not_repeated(text, said):
    with pytest.raises(cipher.KeyringError, match=said) as error:
        cipher.parse(text)
    assert "not base64!" not in str(error.value)


def test_a_new_key_is_one_the_keyring_takes():
    assert list(cipher.parse(f"k7:{cipher.new_key()}")) == ["k7"]
