"""gunicorn erases due credentials once, when it starts, and starts even if that fails."""

from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection

import pytest
from django.utils import timezone

from credentials.models.deleted import DeletedCredential
from tests.factories import SYSTEM, make_credential
from tests.servers import free_port, running

SERVER = ["-m", "gunicorn", "sendlayer.wsgi"]


def log_of_a_start(folder, **environment):
    """Return what a web server writes until its first answer."""
    port, log = free_port(), folder / "log"
    with (
        running(SERVER, port=port, log=log, PORT=str(port), **environment),
        closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection,
    ):
        connection.request("GET", "/")
        assert connection.getresponse().status == 302  # to the sign-in
    return log.read_text()


@pytest.mark.django_db(transaction=True)
def test_deleted_credentials_that_are_due_are_erased_at_start(domain, tmp_path):
    late, lately = make_credential(domain), make_credential(domain)
    for username in (late.username, lately.username):
        domain.credentials.get(username=username).remove(by=SYSTEM)
    a_day_ago = timezone.now() - timedelta(hours=24)
    DeletedCredential.objects.filter(username=late.username).update(deleted_at=a_day_ago)
    assert log_of_a_start(tmp_path).count("Erased SMTP users that were deleted: 1") == 1
    assert DeletedCredential.objects.get().username == lately.username


@pytest.mark.one_database
@pytest.mark.django_db(transaction=True)
def test_web_server_starts_without_a_database(tmp_path):
    nowhere = f"sqlite:///{tmp_path}/no/such/folder/db.sqlite3"
    assert "not erased yet: OperationalError" in log_of_a_start(tmp_path, DATABASE_URL=nowhere)
