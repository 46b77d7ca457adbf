"""What takes a credential's right to send away, for tests of every server."""

from datetime import timedelta

from django.utils import timezone

from credentials.models import Credential
from domains.models import Domain
from tests.factories import SYSTEM


def delete(credential):
    credential.remove(by=SYSTEM)


def reset(credential):
    credential.reset_password(by=SYSTEM)


def suspend(credential):
    credential.suspend(by=SYSTEM)


def expire(credential):
    Credential.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def suspend_domain(credential):
    Domain.objects.update(suspended_at=timezone.now())


def unauthorize_domain(credential):
    Domain.objects.update(authorized_at=None)


def delete_domain(credential):
    Domain.objects.all().delete()


ALL = [delete, reset, suspend, expire, suspend_domain, unauthorize_domain, delete_domain]
