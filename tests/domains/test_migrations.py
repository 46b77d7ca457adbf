"""On upgrade, each membership without a public id gets one of its own."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE, AFTER = ("domains", "0002_dns_records"), ("domains", "0003_invitations")


@pytest.mark.django_db(transaction=True)
def test_migration_gives_each_membership_its_own_public_id():
    executor = MigrationExecutor(connection)
    leaves = executor.loader.graph.leaf_nodes()
    try:
        old = executor.migrate([BEFORE]).apps
        domain = old.get_model("domains", "Domain").objects.create(name="sl.example.com")
        for number in range(3):
            user = old.get_model("accounts", "User").objects.create(email=f"u{number}@example.com")
            domain.memberships.create(user=user, role="owner")
        new = MigrationExecutor(connection).migrate([AFTER]).apps
        # As the previous version does it, without the new columns.
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM domains_membership WHERE user_id = %s", [user.pk])
            cursor.execute(
                "INSERT INTO domains_membership (user_id, domain_id, role, created_at) VALUES (%s, %s, %s, %s)",
                [user.pk, domain.pk, "viewer", "2026-01-01 00:00:00"],
            )
        ids = set(new.get_model("domains", "Membership").objects.values_list("public_id", flat=True))
        assert len(ids - {None}) == 3
    finally:
        MigrationExecutor(connection).migrate(leaves)
