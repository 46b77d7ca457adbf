"""Indexes for the lists and the search of the support admin."""

from django.db import migrations, models

from web.search.trigrams import CreateTrigramIndex


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_confirmed_addresses"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("is_active", False)), fields=["email"], name="user_not_active"
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(condition=models.Q(("is_staff", True)), fields=["email"], name="user_staff"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("is_superuser", True)), fields=["email"], name="user_superuser"
            ),
        ),
        CreateTrigramIndex("accounts_user", "email"),
        CreateTrigramIndex("accounts_user", "name"),
    ]
