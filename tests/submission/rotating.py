"""A rotation without downtime, from the view of a site: the same steps for every mail server."""

from datetime import timedelta

from django.utils import timezone

from credentials.models import Credential
from tests.factories import SYSTEM, password_of
from tests.http import smtp_url
from tests.submission.clients import wait_until
from tests.submission.steady_client import steady


def rotate_under(login, as_alice, credential):
    """Reset with a grace period, use the new password later, let the period end: no login is refused.

    `login(username, password)` returns the code of a login's reply.
    """
    old = password_of(credential)

    def log_in(password):
        return login(credential.username, password)

    with steady(log_in, old) as client:
        client.go_on_for(5)
        seen = {"seen": credential.password_changed_at.isoformat(), "keep": "1h", "sure": "on"}
        assert as_alice.post(smtp_url(credential, "reset"), seen).status_code == 302
        new = password_of(credential)
        assert new != old
        client.go_on_for(15)
        client.password = new
        client.go_on_for(5)
        end = timezone.now() + timedelta(seconds=1)
        Credential.objects.update(previous_valid_until=end)
        client.go_on_for(5)
        wait_until(lambda: timezone.now() > end)
        assert log_in(old) == 535
        client.go_on_for(10)
    assert client.refused() == 0
    assert len(client.codes_of(old)) >= 20 and len(client.codes_of(new)) >= 20


def hold_on_to_the_old_password(login, credential):
    """A site that keeps the old password is accepted until the grace period ends, and refused after it."""
    old = password_of(credential)
    with steady(lambda password: login(credential.username, password), old) as client:
        client.go_on_for(3)
        credential.reset_password(by=SYSTEM, keep_old_for=timedelta(hours=1))
        end = timezone.now() + timedelta(seconds=1.5)
        Credential.objects.update(previous_valid_until=end)
        client.go_on_for(5)
        assert timezone.now() > end or client.refused() == 0
        wait_until(lambda: client.codes_of(old)[-1] == 535)
        assert timezone.now() >= end
        client.go_on_for(3)
    codes = client.codes_of(old)
    assert codes == sorted(codes) and codes[-3:] == [535] * 3
