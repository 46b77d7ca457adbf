from django.db import migrations


def fail(apps, schema_editor):
    raise RuntimeError("half-way")


class Migration(migrations.Migration):
    dependencies = [("vault", "0001_table")]
    operations = [migrations.RunPython(fail)]
