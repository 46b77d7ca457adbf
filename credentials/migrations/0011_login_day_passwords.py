"""Which password logins of a day used: null where it isn't known, as for all before this."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credentials", "0010_hand_over"),
    ]

    operations = [
        migrations.AddField("loginday", "current_at", models.DateTimeField(null=True)),
        migrations.AddField("loginday", "previous_at", models.DateTimeField(null=True)),
    ]
