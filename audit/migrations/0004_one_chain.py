"""The database refuses a second event with the same number: no chain has two ends."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_number_events")]

    operations = [
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(fields=("domain", "number"), name="event_number_once"),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(
                condition=Q(domain=None), fields=("number",), name="event_number_once_without_domain"
            ),
        ),
    ]
