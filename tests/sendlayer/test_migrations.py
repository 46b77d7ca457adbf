"""The migrations match the models, and go forward and back."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

OURS = ["submission", "credentials", "audit", "domains", "accounts"]


def tables():
    return set(connection.introspection.table_names(include_views=True))


def own_tables():
    models = {model._meta.db_table for model in apps.get_models() if model._meta.app_label in OURS}
    return models | {"sendlayer_cache"}


@pytest.mark.django_db
def test_models_have_no_change_without_a_migration():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_apps_can_be_migrated_to_zero_and_back():
    before = tables()
    try:
        for app in OURS:
            if apps.get_app_config(app).models_module is not None:
                call_command("migrate", app, "zero", verbosity=0)
        assert not own_tables() & tables()
    finally:
        call_command("migrate", verbosity=0)
    assert tables() == before


@pytest.mark.django_db(transaction=True)
def test_migrations_of_an_upgrade_are_all_applied_or_none(settings):
    before = tables()
    settings.MIGRATION_MODULES = {"vault": "tests.sendlayer.failing_migrations"}
    with pytest.raises(RuntimeError, match="half-way"):
        call_command("migrate_atomically", verbosity=0)
    assert tables() == before
    assert not MigrationRecorder(connection).migration_qs.filter(app="vault").exists()
    call_command("migrate_atomically", "vault", "0001", verbosity=0)
    assert tables() == before | {"half_way"}
    call_command("migrate_atomically", "vault", "zero", verbosity=0)
    assert tables() == before
