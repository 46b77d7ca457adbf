"""The forms of a user's own account."""

from uuid import uuid4

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.account.utils import perform_login, setup_user_email
from django import forms
from django.db import IntegrityError, transaction
from django.db.models.functions import Lower

import audit
from accounts import email_addresses, emails
from accounts.allauth_internals import send_verification_email_to_address
from accounts.models import User
from audit.actor import Actor
from web import text as labels


class ProfileForm(forms.Form):
    name = forms.CharField(
        label="Your name",
        required=False,
        strip=False,
        help_text="How colleagues see you. Up to 80 characters; leave it blank to show your e-mail "
        "address instead.",
        widget=forms.TextInput(attrs={"maxlength": labels.MAX_LABEL, "autocomplete": "name"}),
    )

    def clean_name(self):
        return labels.clean(self.cleaned_data["name"])


class EmailForm(forms.Form):
    """A new address, which becomes the login once the user opens the link mailed to it."""

    email = forms.EmailField(
        label="New e-mail",
        max_length=email_addresses.MAX_EMAIL,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self):
        email = email_addresses.clean(self.cleaned_data["email"])
        if email == self.user.email:
            raise forms.ValidationError("This is already your address.")
        return email

    def save(self, request):
        """Store the new address beside the old one and mail the link to it."""
        email = self.cleaned_data["email"]
        with transaction.atomic():
            User.objects.hold(self.user.pk)
            old = {"verified": True, "primary": True}
            EmailAddress.objects.get_or_create(user=self.user, email=self.user.email, defaults=old)
            pending = EmailAddress.objects.add_new_email(request, self.user, email, send_verification=False)
            by = Actor.of(request)
            audit.record("account.email_change_asked", by=by, data={"to_email": email})
        send_link(request, pending)


def send_link(request, pending) -> None:
    """Mail the link to a pending address; nothing is sent to one that is the login of another user."""
    send_verification_email_to_address(request, pending)


def _name_email_field(field):
    """Spell the field of an e-mail address as all pages do."""
    field.label = "E-mail"
    field.widget.attrs["placeholder"] = "E-mail address"


class LoginForm(allauth_forms.LoginForm):
    """The login and the password."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _name_email_field(self.fields["login"])


class SignupForm(allauth_forms.SignupForm):
    """Sign-up that costs the same whether or not the address has an account.

    Otherwise the response time, half a second of hashing, would show strangers who has one.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _name_email_field(self.fields["email"])

    def validate_unique_email(self, value):
        """Note whether it has an account. A pending change of another user's address to it doesn't count."""
        login = User.objects.alias(lower=Lower("email")).filter(lower=value).exists()
        confirmed = EmailAddress.objects.is_verified(value)
        self.account_already_exists = login or confirmed
        return get_adapter().validate_unique_email(value)

    def clean(self):
        data = super().clean()
        if not self.errors:
            # Before the transaction: hashing within it would make others wait.
            unused = f"{uuid4().hex}@account.invalid"
            self.user = User(email=unused if self.account_already_exists else data["email"])
            self.user.set_password(data["password1"])
        return data

    def try_save(self, request):
        try:
            with transaction.atomic():
                self.user.save()
                setup_user_email(request, self.user, [])
                transaction.set_rollback(self.account_already_exists)
        except IntegrityError:  # a concurrent sign-up made the account
            self.account_already_exists = True
        if not self.account_already_exists:
            return self.user, None
        return None, perform_login(request, None, signup=True, email=self.cleaned_data["email"])


class ReauthenticateForm(allauth_forms.ReauthenticateForm):
    """The password once more."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["password"].widget.attrs["autofocus"] = True


class ResetPasswordForm(allauth_forms.ResetPasswordForm):
    """Request for a reset by the login address only: a pending one may have a typing error."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _name_email_field(self.fields["email"])

    def clean_email(self):
        # allauth's own search queries once more for an unknown address.
        email = get_adapter().clean_email(self.cleaned_data["email"])
        self.users = list(User.objects.filter(email=email.strip().lower(), is_active=True))
        return email

    def save(self, request, **options):
        email = self.cleaned_data["email"]
        if not self.users:
            # A discarded letter costs the same: otherwise the time would show who has an account.
            self.users, self.cleaned_data["email"] = [User(pk=0)], emails.NOBODY
        super().save(request, **options)
        return email


class ResetPasswordKeyForm(allauth_forms.ResetPasswordKeyForm):
    """The new password. The link that leads here proves the address."""

    def save(self):
        super().save()
        if not self.user.is_confirmed:
            self.user.hand_over()


class ResetLinkForm(allauth_forms.UserTokenForm):
    """The mailed link for a new password, which a deactivated user can't use."""

    def _get_user(self, uidb36):
        user = super()._get_user(uidb36)
        return user if user and user.is_active else None


class NotificationsForm(forms.ModelForm):
    """Which e-mails a user gets as an owner of domains."""

    class Meta:
        model = User
        fields = ("tell_members", "tell_credentials", "tell_dns")
        labels = {
            "tell_members": "Someone becomes a member",
            "tell_credentials": "An SMTP password is reset, "
            "or an SMTP user is suspended, deleted, restored or about to expire",
            "tell_dns": "The DNS record that proves ownership of a domain is missing",
        }

    def save(self, commit=True):
        # Only these columns: the rest of the row may have changed since it was read.
        self.instance.save(update_fields=self.Meta.fields)
        return self.instance
