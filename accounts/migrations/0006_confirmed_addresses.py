"""From here on only confirmed addresses sign in, whatever SIGNUP_OPEN says."""

from django.db import migrations
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Lower

from accounts.confirmed import confirm_unclaimed

# Whoever did one of these had opened a link that was mailed to the address.
PROOFS = ("account.password_reset", "member.joined")


def confirm(apps, schema_editor):
    User, EmailAddress = apps.get_model("accounts", "User"), apps.get_model("account", "EmailAddress")
    Event = apps.get_model("audit", "Event")
    claimed = EmailAddress.objects.filter(primary=True, verified=False, email=Lower("user__email"))
    # People before what belongs to them (audit/locks.py).
    list(User.objects.order_by("pk").select_for_update().values_list("pk"))
    proved = Event.objects.filter(actor=OuterRef("user"), tag__in=PROOFS)
    others = EmailAddress.objects.filter(email=OuterRef("email"), verified=True)
    proved_ids = list(claimed.filter(Exists(proved)).exclude(Exists(others)).values_list("pk", flat=True))
    EmailAddress.objects.filter(pk__in=proved_ids).update(verified=True)
    confirm_unclaimed(User.objects, EmailAddress.objects)
    # They got in while sign-up was closed: their sessions end.
    User.objects.filter(pk__in=claimed.values("user")).update(session_epoch=F("session_epoch") + 1)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_support_group"),
        ("audit", "0001_initial"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]
    # Going back leaves what is confirmed: the version before reads it the same.
    operations = [migrations.RunPython(confirm, migrations.RunPython.noop)]
