"""An upgrade chains older events, and going back keeps them without their chain."""

from importlib import import_module

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from audit.models import Event
from tests.audit.tampering import make_events, verify
from tests.factories import make_domain

BEFORE = ("audit", "0001_initial")


@pytest.mark.django_db(transaction=True)
def test_upgrade_chains_older_events_and_downgrade_keeps_them(monkeypatch):
    monkeypatch.setattr(import_module("audit.migrations.0003_number_events"), "BATCH", 3)
    domain, other, gone = (make_domain(f"{name}.example.com") for name in ("sl", "other", "gone"))
    executor = MigrationExecutor(connection)
    leaves = executor.loader.graph.leaf_nodes()
    try:
        old = executor.migrate([BEFORE]).apps.get_model("audit", "Event")
        for number in range(9):
            where = (domain.pk, other.pk, None)[number % 3]
            old.objects.create(tag="x", actor_name="x", ip="2001:db8::1", data={"é": [1]}, domain_id=where)
        old.objects.filter(domain=gone.pk).update(domain=None)  # as the version before did it
        MigrationExecutor(connection).migrate(leaves)
        make_events(domain, 1)
        numbers = Event.objects.filter(domain=domain).order_by("pk").values_list("number", flat=True)
        assert list(numbers) == [1, 2, 3, 4, 5] and verify().faults == []
        other.delete()
        old = MigrationExecutor(connection).migrate([BEFORE]).apps.get_model("audit", "Event")
        assert set(old.objects.values_list("domain", flat=True)) == {domain.pk, None}
    finally:
        MigrationExecutor(connection).migrate(leaves)
    assert verify().faults == []
