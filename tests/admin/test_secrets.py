"""No page, search, filter or order of the admin gives a secret away, not even bit by bit."""

from datetime import timedelta

import pytest

from audit.actor import Actor
from credentials.models import RefusedLogins
from credentials.outcome import Outcome
from tests.factories import make_use, password_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def secrets(credential, alice, root, sam):
    credential.refresh_from_db()
    return [
        password_of(credential),
        credential.password_sealed,
        credential.verifier,
        credential.verifier[9:40],
        credential.domain.verification_token,
        alice.password,
        alice.password.split("$")[2],  # the salt
        alice.password.split("$")[3][:6],  # what Django's own summary shows of the hash
        "pbkdf2",
    ]


@pytest.mark.parametrize("who", ["root", "sam"])
def test_no_admin_page_shows_a_secret(client, request, who, secrets, credential, alice):
    client.force_login(request.getfixturevalue(who))
    make_use(credential, outcome=Outcome.EXPIRED)
    of = {"credentials/credential": credential, "domains/domain": credential.domain, "accounts/user": alice}
    of["credentials/handover"], key = credential.hand_overs.make(
        timedelta(days=7), by=Actor(alice.email, alice)
    )
    secrets += [key, of["credentials/handover"].digest]
    of["credentials/refusedlogins"] = RefusedLogins.objects.get(username=credential.username)
    paths = [f"/admin/{model}/" for model in (*of, "audit/event")]
    for model, row in of.items():
        paths += [f"/admin/{model}/{row.pk}/change/", f"/admin/{model}/{row.pk}/history/"]
        assert client.get(f"/admin/{model}/{row.pk}/password/", follow=True).status_code in (200, 404)
    for path in paths:
        response = client.get(path, follow=True)  # history leads to the events
        assert response.status_code == 200, path
        assert not [secret for secret in secrets if secret in response.content.decode()], path


@pytest.mark.parametrize(
    "path",
    [
        "credentials/credential/?verifier__startswith=%7BSSHA512%7D",
        "credentials/credential/?password_sealed__contains=v1",
        "credentials/credential/?verifier=x",
        "credentials/credential/?verifier__regex=.",
        "credentials/credential/?issue_key__isnull=True",
        "credentials/credential/?created_by__password__startswith=pbkdf2",
        "credentials/credential/?domain__verification_token__startswith=a",
        "credentials/credential/?domain__memberships__user__password__startswith=p",
        "credentials/credential/?id__gt=0&verifier__gt=a",
        "domains/domain/?verification_token__startswith=a",
        "domains/domain/?credentials__verifier__startswith=x",
        "domains/domain/?domain__credentials__verifier__startswith=x",
        "domains/domain/?created_by__password__startswith=pbkdf2",
        "domains/domain/?members__password__startswith=pbkdf2",
        "accounts/user/?password__startswith=pbkdf2",
        "accounts/user/?memberships__domain__credentials__verifier__gt=a",
        "accounts/user/?emailaddress__emailconfirmation__key__startswith=a",
        "audit/event/?actor__password__startswith=pbkdf2",
        "audit/event/?domain__verification_token__startswith=a",
        "credentials/credential/?_to_field=issue_key",
        "credentials/credential/?_to_field=verifier",
        "credentials/refusedlogins/?credential__verifier__startswith=%7BSSHA512%7D",
        "credentials/handover/?digest__startswith=0",
        "credentials/handover/?credential__password_sealed__startswith=v1",
        "credentials/refusedlogins/?credential__password_sealed__gt=a",
    ],
)
def test_lookup_of_hidden_field_is_refused(as_root, credential, path):
    assert as_root.get(f"/admin/{path}").status_code == 400


@pytest.mark.parametrize(
    "order", ["verifier", "-password_sealed", "99", "-99", "7.abc", "1.2.3", "-", "9" * 5000]
)
def test_list_orders_only_by_shown_columns(as_root, credential, order):
    response = as_root.get("/admin/credentials/credential/", {"o": order})
    assert response.status_code == 200
    query = str(response.context["cl"].queryset.query).partition("ORDER BY")[2]
    assert "verifier" not in query and "password_sealed" not in query and "issue_key" not in query


@pytest.mark.parametrize("model", ["credential", "refusedlogins"])
def test_list_queries_no_secret(as_root, credential, model):
    response = as_root.get(f"/admin/credentials/{model}/?e=1")
    query = str(response.context["cl"].queryset.query)
    assert response.status_code == 200
    assert "verifier" not in query and "password_sealed" not in query


def test_search_ignores_secrets(as_root, credential):
    for secret in (credential.verifier[9:30], credential.password_sealed[:20], password_of(credential)):
        response = as_root.get("/admin/credentials/credential/", {"q": secret})
        assert list(response.context["cl"].result_list) == []


def test_autocomplete_returns_people_by_email_only(as_sam, alice):
    where = {"app_label": "domains", "model_name": "membership", "field_name": "user"}
    found = as_sam.get("/admin/autocomplete/", where | {"term": "alice"}).json()["results"]
    assert found == [{"id": str(alice.pk), "text": "alice@example.com"}]
    assert as_sam.get("/admin/autocomplete/", where | {"term": "pbkdf2"}).json()["results"] == []


@pytest.mark.parametrize("pk", ["x", "%00", "-1", "9" * 30, "1_3F"])
def test_impossible_row_id_is_no_error(as_root, pk):
    for model in ("credentials/credential", "domains/domain", "accounts/user", "audit/event"):
        assert as_root.get(f"/admin/{model}/{pk}/change/").status_code in (302, 404)
