"""Indexes for the lists and the search of the support admin."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0005_by_actor"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["tag", "-at"], name="event_tag_at"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["actor_name", "-at"], name="event_actor_name_at"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["domain_name", "-at"], name="event_domain_name_at"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["ip", "-at"], name="event_ip_at"),
        ),
    ]
