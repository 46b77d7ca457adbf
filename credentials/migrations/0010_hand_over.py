"""One-time links of Hand over, which support may see and revoke."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

GROUP = "Support"
RIGHTS = ("view_handover", "change_handover")


def let_support(apps, schema_editor):
    """Give the group its rights; the permissions themselves would only come after the last migration."""
    config = apps.get_app_config("credentials")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects
    for group in apps.get_model("auth", "Group").objects.filter(name=GROUP):
        group.permissions.add(*permissions.filter(content_type__app_label="credentials", codename__in=RIGHTS))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_support_group"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("credentials", "0009_drop_old_usage"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HandOver",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("password_number", models.PositiveIntegerField(editable=False)),
                ("made_at", models.DateTimeField(editable=False)),
                ("valid_until", models.DateTimeField(db_index=True, editable=False)),
                ("opened_at", models.DateTimeField(editable=False, null=True)),
                (
                    "opened_ip",
                    models.GenericIPAddressField(editable=False, null=True, verbose_name="opened from"),
                ),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "credential",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hand_overs",
                        to="credentials.credential",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "hand-over link",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("valid_until__gt", models.F("made_at"))),
                        name="hand_over_valid_after_made",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("opened_at", None), ("revoked_at", None), _connector="OR"),
                        name="hand_over_opened_or_revoked",
                    ),
                ],
            },
        ),
        # Going back leaves the rights, which then mean nothing.
        migrations.RunPython(let_support, migrations.RunPython.noop),
    ]
