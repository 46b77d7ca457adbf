"""Indexes for the lists and the search of the support admin."""

from django.db import migrations, models

from web.search.trigrams import CreateTrigramIndex


class Migration(migrations.Migration):
    dependencies = [
        ("domains", "0004_suspended_reason"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="domain",
            index=models.Index(
                condition=models.Q(("suspended_at__isnull", False)), fields=["id"], name="domain_suspended"
            ),
        ),
        CreateTrigramIndex("domains_domain", "name"),
        CreateTrigramIndex("domains_domain", "display_name"),
        CreateTrigramIndex("domains_domain", "title"),
    ]
