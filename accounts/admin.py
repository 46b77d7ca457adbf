from allauth.account.forms import ResetPasswordForm
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as StockGroupAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q, QuerySet
from django.shortcuts import redirect

import audit
from accounts import emails
from accounts.models import User
from audit.actor import Actor
from audit.search import keys
from audit.support import SUPPORT_ALONE, Act, Refused, SupportAdmin
from web.dates import ago, day

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")

# Staff who could edit these could take over an account or give themselves more rights; two of them hold
# secrets.
admin.site.unregister([Authenticator, EmailAddress, Group, UserSession])
# With these rows a sign-in provider could be let in to an account.
admin.site.unregister([SocialAccount, SocialApp, SocialToken])


def _to_own_password_page(request, **kwargs):
    return redirect("account_change_password")


# Django's own page checks the old password without a limit on attempts.
admin.site.password_change = _to_own_password_page


def _reset_email(request):
    """Return the act that sends a user allauth's e-mail with a link to choose a new password."""

    def do(user, by, reason):
        if not user.is_active:
            raise Refused(f"{user} is not active")
        form = ResetPasswordForm({"email": user.email})
        if not form.is_valid():
            raise Refused(f"{user} has no address that mail can be sent to")
        form.save(request)
        audit.record("support.password_reset_sent", by=by, data={"user": user.email, "reason": reason})
        return True

    return Act(
        name="send_reset",
        title="Send password reset e-mails",
        effect="Each user gets an e-mail with a link to choose a new password for the dashboard.",
        done="sent",
        unchanged="",
        do=do,
        read_by=SUPPORT_ALONE,
    )


def _refuse_above(user, by):
    """Raise Refused for an account that may do more than the acting user's."""
    if user.is_superuser and not by.user.is_superuser:
        raise Refused(f"{user} is a superuser")


@transaction.atomic
def _end_sessions(user, by, reason):
    _refuse_above(user, by)
    user.end_sessions()
    UserSession.objects.filter(user=user).delete()
    audit.record("support.sessions_ended", by=by, data={"user": user.email, "reason": reason})
    return True


def _is_deactivated(form) -> bool:
    return "is_active" in form.changed_data and not form.cleaned_data["is_active"]


def _shut_out(user) -> list:
    """End the sessions and invitations of a user who is deactivated.

    Return the invitations: their events are recorded last.
    """
    user.end_sessions()
    UserSession.objects.filter(user=user).delete()
    return user.memberships.delete_unvouched_invitations()


@transaction.atomic
def _remove_two_factor(user, by, reason):
    _refuse_above(user, by)
    if user == by.user:
        raise Refused(f"{user} is your own account: turn it off in your account settings")
    User.objects.hold(user.pk)
    deleted, _ = Authenticator.objects.filter(user=user).delete()
    if deleted:
        audit.record("support.two_factor_removed", by=by, data={"user": user.email, "reason": reason})
        emails.write("two_factor_removed", user.email, link=("mfa_index",))
    return bool(deleted)


END_SESSIONS = Act(
    name="end_sessions",
    title="End sessions",
    effect="Each user is signed out everywhere and has to sign in again.",
    done="signed out everywhere",
    unchanged="",
    do=_end_sessions,
    read_by=SUPPORT_ALONE,
)
REMOVE_TWO_FACTOR = Act(
    name="remove_two_factor",
    title="Remove two-factor",
    effect=(
        "The authenticator app, the passkeys and the recovery codes of each user are deleted: the password "
        "alone signs them in. Make sure that the request really comes from them. They're notified by e-mail."
    ),
    done="now without two-factor",
    unchanged="already without it",
    do=_remove_two_factor,
    read_by=SUPPORT_ALONE,
)


@admin.register(User)
class UserAdmin(SupportAdmin):
    """Users. They are deactivated instead of deleted; no page shows or sets a password."""

    change_form_template = "admin/acts_below.html"
    list_display = ("email", "name", "confirmed", "is_active", *RIGHTS[:2], "last_sign_in", "joined")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    search_help_text = "Part of an e-mail or a name"
    sortable_by = ("email", "joined")  # by an index
    ordering = ("email",)
    fields = ("email", "name", "is_active", *RIGHTS, "last_login", "date_joined")
    filter_horizontal = ("groups", "user_permissions")
    actions = ("send_reset", "end_sessions", "remove_two_factor")

    def get_queryset(self, request):
        return super().get_queryset(request).defer("password").prefetch_related("emailaddress_set")

    def by_email(self, email):
        return Q(pk__in=keys(User.objects.search_email(email)))

    def by_text(self, text):
        return Q(email__icontains=text) | Q(name__icontains=text)

    def history_of(self, row):
        return {"person": row.pk}

    @admin.display
    def last_sign_in(self, user):
        return ago(user.last_login) or "Never"

    @admin.display(ordering="pk")
    def joined(self, user):
        return day(user.date_joined)

    @admin.display(description="confirmed", boolean=True)
    def confirmed(self, user):
        # As User.is_confirmed, of the addresses that were read for all rows at once.
        found = user.emailaddress_set.all()
        return any(address.verified and address.email == user.email.lower() for address in found)

    def get_fields(self, request, obj=None):
        return self.fields if obj else ("email", "name")

    def get_readonly_fields(self, request, obj=None):
        if obj is None:
            return ()
        # With another address, another person could reset its password.
        fixed = ("email", "last_login", "date_joined")
        if obj == request.user:
            return (*fixed, "is_active", *RIGHTS)
        return fixed if request.user.is_superuser else (*fixed, *RIGHTS)

    def has_change_permission(self, request, obj=None):
        may_change = super().has_change_permission(request, obj)
        return may_change and (request.user.is_superuser or obj is None or not obj.is_superuser)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name == "user_permissions":
            kwargs["queryset"] = db_field.remote_field.model.objects.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.action(description="Send password reset e-mail", permissions=["change"])
    def send_reset(self, request, queryset):
        return self.ask_and_do(request, queryset, _reset_email(request))

    @admin.action(description="End sessions", permissions=["change"])
    def end_sessions(self, request, queryset):
        return self.ask_and_do(request, queryset, END_SESSIONS)

    @admin.action(description="Remove two-factor", permissions=["change"])
    def remove_two_factor(self, request, queryset):
        return self.ask_and_do(request, queryset, REMOVE_TWO_FACTOR)

    def save_model(self, request, obj, form, change):
        """Save what was changed, in the transaction of the page."""
        if _is_deactivated(form):
            obj.memberships.hold_invitations()
        User.objects.hold(obj.pk)
        if not change:
            obj.set_unusable_password()  # the user chooses one by "Send password reset"
            obj.save()
        else:
            columns = {field.name for field in obj._meta.concrete_fields}
            obj.save(update_fields=[name for name in form.changed_data if name in columns])

    def save_related(self, request, form, formsets, change):
        """Save groups and rights, and then the events, which come after all rows (audit/locks.py)."""
        super().save_related(request, form, formsets, change)
        by = Actor.of(request)
        ended = _shut_out(form.instance) if _is_deactivated(form) else []
        changed = {name: _as_json(form.cleaned_data[name]) for name in form.changed_data}
        tag = "support.user_changed" if change else "support.user_added"
        audit.record(tag, by=by, data={"user": form.instance.email} | changed)
        for invitation in ended:
            invitation.record_ended(by=by)


def _as_json(value):
    return [str(item) for item in value] if isinstance(value, QuerySet) else value


@admin.register(Group)
class GroupAdmin(SupportAdmin, StockGroupAdmin):
    """Sets of permissions. Superusers only: staff could add permissions to their own group."""

    def has_module_permission(self, request):
        return request.user.is_superuser

    def has_view_permission(self, request, obj=None):
        return request.user.is_superuser

    has_change_permission = has_view_permission

    def has_add_permission(self, request):
        return request.user.is_superuser
