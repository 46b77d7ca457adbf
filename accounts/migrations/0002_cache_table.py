from django.core.management import call_command
from django.db import migrations

TABLE = "sendlayer_cache"


def create_cache_table(apps, schema_editor):
    # Made here, whatever CACHE_URL says today, so that `migrate` alone is enough.
    call_command("createcachetable", TABLE, database=schema_editor.connection.alias, verbosity=0)


def drop_cache_table(apps, schema_editor):
    schema_editor.execute(f"DROP TABLE IF EXISTS {TABLE}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(create_cache_table, drop_cache_table)]
