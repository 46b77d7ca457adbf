"""Y: bodies and fields. What a client can't send: test_wire.py."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from credentials.models import Credential
from tests import factories
from tests.http import smtp_url
from tests.input.catalogue import row, rows

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
PART = 'Content-Disposition: form-data; name="label"\r\nContent-Transfer-Encoding: base64\r\n\r\n'

LABEL = "Content-Disposition: form-data; name=label\r\n\r\nx"


def multipart(part: str, end="\r\n--x--\r\n") -> str:
    return f"--x\r\n{part}{end}"


@rows(
    "body, content_type, wanted",
    Y1=("label=" + "x" * 3_000_000, FORM, {400, 413}),
    Y2=("&".join(f"f{number}=1" for number in range(1001)), FORM, {400, 413}),
    Y2b=("label=x&" * 1000, FORM, {400, 413}),
    Y3=(multipart(PART), "multipart/form-data", {400}),
    Y3b=(multipart(PART), "multipart/form-data; boundary=" + "x" * 500, {400}),
    Y3c=(multipart(PART), "multipart/form-data; boundary=é", {400}),
    Y3d=(multipart(PART, end=""), "multipart/form-data; boundary=x", {302, 400}),
    Y3e=(multipart(PART) * 1001, "multipart/form-data; boundary=x", {302, 400, 422}),
    Y4=(multipart(PART + "####"), "multipart/form-data; boundary=x", {302, 400, 422}),
    Y5=("label=x".encode("utf-16"), f"{FORM}; charset=utf-16", {400}),
    Y5b=("label=x", f"{FORM}; charset=\xe9", {302, 400}),
    Y5c=("label=x", f"{FORM}; charset=idna", {400}),
    Y5d=(multipart(LABEL), "multipart/form-data; boundary=x; charset=utf-7", {302, 400}),
    W10=(b"label=\xff\xfe\xed\xa0\x80", FORM, {302, 422}),
    W11=(b"\x00\xff" * 5000, "\x00/\xff; =", {302, 422}),
    W12=("label=%ZZ%&=&;&%00=%00", FORM, {302, 422}),
    W13=("label=a&label=b&label=%00", FORM, {302, 422}),
    W14=('{"label": "x"}', "application/json", {302, 422}),
    W15=("<label>x</label>", "text/xml", {302, 422}),
    W16=("", "", {302, 422}),
)  # fmt: skip
def test_body_that_is_no_form_breaks_nothing(owner, credential, body, content_type, wanted):
    response = owner.generic("POST", smtp_url(credential, "label"), body, content_type=content_type)
    assert response.status_code in wanted
    credential.refresh_from_db()
    assert credential.label in ("", "b", "x") or credential.label.isprintable()


@row("Y6")
def test_a_compressed_body_is_refused(owner, credential):
    for encoding in ("gzip", "br", "deflate, gzip", "\x00"):
        headers = {"Content-Encoding": encoding}
        response = owner.post(smtp_url(credential, "label"), {"label": "x"}, headers=headers)
        assert (response.status_code, response["Accept-Encoding"]) == (415, "identity")


# The one form with JSON: the answer of a passkey.
@rows(
    "answer",
    Y12=json.dumps({"id": "a\0b", "rawId": "a\0b", "type": "public-key", "response": {"userHandle": "AAAA"}}),
    Y14='{"id": NaN, "response": 1e999}',
    Y15='{"id": "a", "id": ["b"], "response": {"userHandle": 1, "userHandle": null}}',
    Y16="[]",
    Y16b="null",
    Y16c="[" * 100_000,
    Y16d='"' + "9" * 5000 + '"',
    Y16e="9" * 5000,
    Y16f='{"response": {"userHandle": "////", "clientDataJSON": "e30", "authenticatorData": ""}}',
    Y16g='{"\\ud800": "\\ud800"}',
)
def test_malformed_passkey_answer_is_refused(visitor, owner, answer):
    for browser, path in ((visitor, "login/"), (owner, "reauthenticate/"), (owner, "add/")):
        url = "/account/two-factor/webauthn/" + path
        browser.get(url)
        fields = {"credential": answer, "name": "x"}
        assert browser.post(url, fields).status_code in (200, 302, 400, 404, 422)
    assert visitor.get("/domains/").status_code == 302


@rows("path, fields", Y13=("label", {"label": "x" * 200}), Y13b=("networks", {"networks": "::1 " * 3000}))
def test_too_long_field_is_refused(owner, credential, path, fields):
    assert owner.post(smtp_url(credential, path), fields).status_code == 422


@row("Y17")
def test_unknown_fields_change_nothing(owner, credential):
    before = Credential.objects.values().get()
    more = {
        "team_id": "1",
        "is_staff": "1",
        "password_hash": "x",
        "verifier": "x",
        "username": "0" * 32,
        "pk": "9",
    }
    assert owner.post(smtp_url(credential, "label"), {"label": "x", **more}).status_code == 302
    assert Credential.objects.values().get() == before | {"label": "x"}
    owner.post("/account/", {"name": "x", "is_staff": "on", "is_superuser": "on", "email": "x@example.com"})
    assert not User.objects.filter(is_staff=True).exists()


@row("Y18")
def test_unexpected_file_is_ignored(owner, credential):
    fields = {"label": "x", "file": SimpleUploadedFile("../../x\x00.html", b"<script>" * 1000)}
    assert owner.post(smtp_url(credential, "label"), fields).status_code == 302
    fields = {"label": SimpleUploadedFile("label", b"x")}
    assert owner.post(smtp_url(credential, "label"), fields).status_code == 302
    credential.refresh_from_db()
    assert credential.label == ""


def test_huge_file_is_refused_before_it_is_read(visitor, monkeypatch):
    monkeypatch.setattr("django.core.files.uploadhandler.TemporaryFileUploadHandler.new_file", pytest.fail)
    file = SimpleUploadedFile("x", b"x" * 3_000_000)
    assert visitor.post("/login/", {"login": "x", "file": file}).status_code == 413


@rows(
    "path, fields",
    W20=("/domains/sl.example.com/settings/smtp/add/", {"key": "\x00"}),
    W21=("/domains/sl.example.com/settings/smtp/add/", {"key": "9" * 5000}),
    W22=("/domains/sl.example.com/settings/members/invite/", {"emails": "a@b.example\x00", "role": "viewer"}),
    W23=("/domains/sl.example.com/settings/members/invite/", {"emails": "a@example.org", "role": "owner\x00"}),
    W24=("/domains/sl.example.com/settings/members/invite/", {"emails": "a@example.org", "also": "\x00"}),
    W25=("/domains/sl.example.com/settings/transfer/", {"member": "\x00", "name": "sl.example.com"}),
    W26=("/domains/sl.example.com/settings/name/", {"display_name": "\u202e", "title": "\u202e"}),
)
def test_value_outside_the_choices_is_refused(owner, path, fields):
    assert owner.post(path, fields, headers={"HX-Request": "true"}).status_code == 422


@pytest.mark.parametrize(
    "value",
    [
        "\x00",
        "9" * 5000,
        "2026-13-45",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "\u202e",
        "-0",
    ],
)
def test_reset_with_a_malformed_seen_field_changes_no_password(owner, credential, value):
    password = factories.password_of(credential)
    owner.post(smtp_url(credential, "reset"), {"seen": value})
    assert factories.password_of(credential) == password
