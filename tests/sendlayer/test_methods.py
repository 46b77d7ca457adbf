import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "DELETE", "CONNECT", "FOO"])
def test_other_methods_are_told_which_are_allowed(client, method):
    response = client.generic(method, "/login/")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST, OPTIONS")
    assert response["Content-Security-Policy"]


@pytest.mark.parametrize("override", [{"X-HTTP-Method-Override": "DELETE"}, {"X-HTTP-Method": "TRACE"}])
def test_no_header_makes_another_method_of_a_request(client, override):
    assert client.get("/login/", headers=override).status_code == 200
