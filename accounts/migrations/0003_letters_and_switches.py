import django.utils.timezone
from django.db import migrations, models


def switch(verbose_name):
    return models.BooleanField(verbose_name, default=True, db_default=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_cache_table")]
    operations = [
        migrations.CreateModel(
            name="Letter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("to", models.EmailField(max_length=254)),
                ("sealed", models.TextField(editable=False)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.AddField("user", "tell_members", switch("new members")),
        migrations.AddField("user", "tell_credentials", switch("resets and deletions")),
        migrations.AddField("user", "tell_dns", switch("DNS records")),
    ]
