"""Drop what 0008 moved. The support admin's page of refused logins keeps its name, address and permission."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("credentials", "0008_move_logins")]

    operations = [
        migrations.DeleteModel(name="LoginTotal"),
        migrations.DeleteModel(name="ClientDay"),
        migrations.DeleteModel(name="ClientName"),
        migrations.DeleteModel(name="RetiredTry"),
        migrations.DeleteModel(name="RefusedLogins"),
        migrations.CreateModel(
            name="RefusedLogins",
            fields=[],
            options={
                "verbose_name_plural": "refused logins",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("credentials.loginday",),
        ),
    ]
