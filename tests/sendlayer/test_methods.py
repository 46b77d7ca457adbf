import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "DELETE", "CONNECT", "FOO"])
def test_other_methods_get_405_with_the_allowed_ones(client, method):
    response = client.generic(method, "/login/")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST, OPTIONS")
    assert response["Content-Security-Policy"]


@pytest.mark.parametrize("override", [{"X-HTTP-Method-Override": "DELETE"}, {"X-HTTP-Method": "TRACE"}])
def test_headers_can_not_change_the_method(client, override):
    assert client.get("/login/", headers=override).status_code == 200
