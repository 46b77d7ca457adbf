"""Indexes for the lists and the search of the support admin."""

from django.db import migrations, models

from web.search.trigrams import CreateTrigramIndex


class Migration(migrations.Migration):
    dependencies = [
        ("credentials", "0012_domain_suspended"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="credential",
            index=models.Index(
                condition=models.Q(("suspended_at__isnull", False)), fields=["id"], name="credential_suspended"
            ),
        ),
        migrations.AddIndex(
            model_name="credential",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False)),
                fields=["id"],
                name="credential_expires",
            ),
        ),
        migrations.AddIndex(
            model_name="loginday",
            index=models.Index(fields=["ip", "username"], name="login_day_ip"),
        ),
        migrations.AddIndex(
            model_name="loginday",
            index=models.Index(
                condition=models.Q(("outcome", "accepted"), _negated=True),
                fields=["outcome", "day", "id"],
                name="login_day_cause",
            ),
        ),
        CreateTrigramIndex("credentials_credential", "label"),
    ]
