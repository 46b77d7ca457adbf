import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import domains.db_functions

ROLES = [("owner", "Owner"), ("manager", "Manager"), ("viewer", "Viewer")]


def fill(apps, schema_editor):
    """Give the members of before their public id; the database makes another one for each row."""
    rows = apps.get_model("domains", "Membership").objects.filter(public_id=None)
    rows.update(public_id=domains.db_functions.RandomUUID())


class Migration(migrations.Migration):
    dependencies = [
        ("domains", "0002_dns_records"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Not by AddField: on SQLite that makes the table anew, which the mail servers' views forbid.
        migrations.RunSQL(
            "ALTER TABLE domains_domain ADD COLUMN title varchar(80) DEFAULT '' NOT NULL",
            "ALTER TABLE domains_domain DROP COLUMN title",
            state_operations=[
                migrations.AddField(
                    "domain", "title", models.CharField(blank=True, db_default="", default="", max_length=80)
                ),
            ],
        ),
        migrations.AddField(
            "membership",
            "public_id",
            models.UUIDField(null=True, db_default=domains.db_functions.RandomUUID(), editable=False),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            "membership",
            "public_id",
            models.UUIDField(
                db_default=domains.db_functions.RandomUUID(), default=uuid.uuid4, editable=False, unique=True
            ),
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("key", models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                ("role", models.CharField(choices=ROLES, max_length=10)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                (
                    "domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to="domains.domain",
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(models.F("domain"), models.F("email"), name="invitation_once"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "manager", "viewer"])),
                        name="invitation_role_known",
                    ),
                ],
            },
        ),
    ]
