"""`manage.py heartbeat` and its row: more in faults/test_failover.py and mail/test_lease.py."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from credentials.models import Heartbeat

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.sqlite
def test_heartbeat_is_refused_on_sqlite():
    with pytest.raises(CommandError, match="Only PostgreSQL has standbys"):
        call_command("heartbeat")


@pytest.mark.postgresql
def test_a_beat_writes_the_one_row_with_the_time_of_the_database():
    Heartbeat.objects.beat(5)
    first = Heartbeat.objects.get()
    Heartbeat.objects.beat(7)
    second = Heartbeat.objects.get()
    assert (first.lease_seconds, second.lease_seconds) == (5, 7) and first.at < second.at
    with connection.cursor() as cursor:  # what held for the beat alone
        cursor.execute("SELECT current_setting('synchronous_commit'), current_setting('statement_timeout')")
        assert cursor.fetchone() != ("local", "2s")
