"""An index for the events of one person in a domain, and to list such people."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_one_chain")]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["domain", "actor", "-at"], name="event_domain_actor_at"),
        ),
    ]
