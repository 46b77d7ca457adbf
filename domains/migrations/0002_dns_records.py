import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("domains", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="domain",
            name="check_started_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="domain",
            name="checked_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="domain",
            name="ownership_gone_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.CreateModel(
            name="DnsRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ownership", "Ownership"),
                            ("spf", "SPF"),
                            ("dkim", "DKIM"),
                            ("return_path", "Return path"),
                            ("dmarc", "DMARC"),
                        ],
                        max_length=12,
                    ),
                ),
                ("host", models.CharField(max_length=400, verbose_name="hostname")),
                ("expected", models.TextField(verbose_name="expected value")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("verified", "Verified"),
                            ("missing", "Missing"),
                            ("wrong", "Wrong"),
                            ("unknown", "Could not check"),
                        ],
                        max_length=8,
                    ),
                ),
                ("found", models.TextField(blank=True, help_text="One value a line.")),
                ("message", models.TextField(blank=True)),
                ("suggested", models.TextField(blank=True, verbose_name="suggested value")),
                ("checked_at", models.DateTimeField()),
                (
                    "failed_at",
                    models.DateTimeField(help_text="When it could not be checked, after that.", null=True),
                ),
                (
                    "domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dns_records",
                        to="domains.domain",
                    ),
                ),
            ],
            options={
                "verbose_name": "DNS record",
                "constraints": [
                    models.UniqueConstraint(fields=("domain", "kind"), name="dns_record_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["ownership", "spf", "dkim", "return_path", "dmarc"])),
                        name="dns_record_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["verified", "missing", "wrong", "unknown"])),
                        name="dns_record_status_known",
                    ),
                ],
            },
        ),
    ]
