from django.db import migrations, models


def fill(apps, schema_editor):
    """Copy the reasons of domains that are suspended now from their last event."""
    events = apps.get_model("audit", "Event").objects.filter(tag="domain.suspended")
    for domain in apps.get_model("domains", "Domain").objects.filter(suspended_at__isnull=False):
        event = events.filter(domain_id=domain.pk).order_by("-at", "-pk").first()
        if event and event.data.get("reason"):
            domain.suspended_reason = event.data["reason"][:200]
            domain.save(update_fields=["suspended_reason"])


class Migration(migrations.Migration):
    dependencies = [("domains", "0003_invitations"), ("audit", "0001_initial")]

    operations = [
        # Not by AddField: on SQLite that makes the table anew, which the mail servers' views forbid.
        migrations.RunSQL(
            "ALTER TABLE domains_domain ADD COLUMN suspended_reason varchar(200) DEFAULT '' NOT NULL",
            "ALTER TABLE domains_domain DROP COLUMN suspended_reason",
            state_operations=[
                migrations.AddField(
                    "domain",
                    "suspended_reason",
                    models.CharField(blank=True, db_default="", default="", editable=False, max_length=200),
                ),
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
