from django.db import migrations, models


class Migration(migrations.Migration):
    """All that a list of domains counts, so that it reads no rows."""

    dependencies = [("credentials", "0013_admin_search")]
    operations = [
        migrations.AddIndex(
            model_name="credential",
            index=models.Index(
                fields=[
                    "domain",
                    "last_used_at",
                    "created_at",
                    "suspended_at",
                    "expires_at",
                    "last_refused_at",
                ],
                name="credential_domain_state",
            ),
        )
    ]
