from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("domains", "0005_admin_search")]

    operations = [
        # Not by AddField: on SQLite that makes the table anew, which the mail servers' views forbid.
        migrations.RunSQL(
            "ALTER TABLE domains_domain ADD COLUMN dns_zone varchar(253) DEFAULT '' NOT NULL",
            "ALTER TABLE domains_domain DROP COLUMN dns_zone",
            state_operations=[
                migrations.AddField(
                    "domain",
                    "dns_zone",
                    models.CharField(blank=True, db_default="", default="", editable=False, max_length=253),
                ),
            ],
        ),
    ]
