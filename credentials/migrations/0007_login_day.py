"""Usage as one fact, in place of the five tables that 0009 drops."""

import django.db.models.deletion
import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credentials", "0006_login_total"),
        ("domains", "0003_invitations"),
    ]

    operations = [
        migrations.CreateModel(
            name="LoginDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("username", models.CharField(blank=True, max_length=32)),
                ("day", models.DateField(db_index=True)),
                ("ip", models.CharField(blank=True, max_length=39, verbose_name="IP address")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("accepted", "accepted"),
                            ("unknown_username", "unknown username"),
                            ("wrong_password", "wrong password"),
                            ("old_password", "old password"),
                            ("suspended", "suspended"),
                            ("expired", "expired"),
                            ("domain_not_authorized", "domain not authorized"),
                            ("network_not_allowed", "network not allowed"),
                            ("uncounted", "uncounted"),
                        ],
                        max_length=24,
                    ),
                ),
                ("count", models.PositiveBigIntegerField()),
                ("ehlo", models.TextField(blank=True, verbose_name="EHLO")),
                ("mail_from", models.TextField(blank=True, verbose_name="MAIL FROM")),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                (
                    "domain",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="login_days",
                        to="domains.domain",
                    ),
                ),
                (
                    "retired_password",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="credentials.retiredpassword",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="loginday",
            index=models.Index(fields=["domain", "day"], name="login_day_domain"),
        ),
        migrations.AddIndex(
            model_name="loginday",
            index=models.Index(
                condition=models.Q(("retired_password__isnull", False)),
                fields=["domain", "username"],
                name="login_day_tried",
            ),
        ),
        migrations.AddIndex(
            model_name="loginday",
            index=models.Index(
                condition=models.Q(("outcome", "accepted"), _negated=True),
                fields=["day", "id"],
                name="login_day_refused",
            ),
        ),
        migrations.AddConstraint(
            model_name="loginday",
            constraint=models.UniqueConstraint(
                models.F("username"),
                models.F("day"),
                models.F("ip"),
                models.F("outcome"),
                django.db.models.functions.comparison.Coalesce("retired_password", models.Value(0)),
                name="login_day_once",
            ),
        ),
    ]
