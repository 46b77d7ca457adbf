from django.contrib.auth.management import create_permissions
from django.db import migrations

NAME = "Support"
RIGHTS = {
    "accounts": ("view_user", "add_user", "change_user"),
    "audit": ("view_event",),
    "credentials": ("view_credential", "change_credential", "delete_credential", "view_refusedlogins"),
    "domains": (
        *("view_domain", "change_domain", "view_dnsrecord"),
        *("view_membership", "add_membership", "change_membership", "delete_membership"),
    ),
}


def make(apps, schema_editor):
    """Make the group; the permissions themselves would only come after the last migration."""
    for label in RIGHTS:
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
        config.models_module = None
    group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=NAME)
    permissions = apps.get_model("auth", "Permission").objects
    for label, names in RIGHTS.items():
        group.permissions.add(*permissions.filter(content_type__app_label=label, codename__in=names))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_session_epoch"),
        ("audit", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("credentials", "0003_mail_views"),
        ("domains", "0003_invitations"),
    ]
    # Going back leaves the group: somebody may have been put into it.
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
