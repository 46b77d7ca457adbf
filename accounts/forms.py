"""The forms of a person's own account."""

from allauth.account import forms as stock
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django import forms
from django.db import transaction

import audit
from accounts import emails
from accounts.models import User
from audit.actor import Actor
from domains import labels


class ProfileForm(forms.Form):
    name = forms.CharField(
        label="Your name",
        required=False,
        strip=False,
        help_text="How colleagues see you. Up to 80 characters; blank shows your e-mail instead.",
        widget=forms.TextInput(attrs={"maxlength": labels.MAX_LENGTH, "autocomplete": "name"}),
    )

    def clean_name(self):
        return labels.clean(self.cleaned_data["name"])


class EmailForm(forms.Form):
    """A new address, which becomes the login when the link that is mailed there is opened."""

    email = forms.EmailField(
        label="New e-mail",
        max_length=emails.MAX_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self):
        email = emails.clean(self.cleaned_data["email"])
        if email == self.user.email:
            raise forms.ValidationError("This is your address already.")
        return email

    def save(self, request):
        """Keep the new address beside the old one, and mail the link to it."""
        email = self.cleaned_data["email"]
        with transaction.atomic():
            old = {"verified": True, "primary": True}
            EmailAddress.objects.get_or_create(user=self.user, email=self.user.email, defaults=old)
            pending = EmailAddress.objects.add_new_email(request, self.user, email, send_verification=False)
            by = Actor.of(request)
            audit.record("account.email_change_asked", by=by, data={"to_email": email})
        send_link(request, pending)


def send_link(request, pending) -> None:
    """Mail the link to a pending address; to one that is somebody else's login nothing is sent."""
    if not User.objects.filter(email=pending.email).exists():
        send_verification_email_to_address(request, pending)


class ReauthenticateForm(stock.ReauthenticateForm):
    """The password once more."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["password"].widget.attrs["autofocus"] = True


class ResetPasswordForm(stock.ResetPasswordForm):
    """Reset only by the address that is the login: a pending one may be a typing error."""

    def clean_email(self):
        email = super().clean_email()
        self.users = [user for user in self.users if user.email == email.strip().lower()]
        return email


class NotificationsForm(forms.ModelForm):
    """Which mails a person gets as an owner of domains."""

    class Meta:
        model = User
        fields = ("tell_members", "tell_credentials", "tell_dns")
        labels = {
            "tell_members": "Somebody becomes a member",
            "tell_credentials": "An SMTP password is reset, "
            "or an SMTP user is suspended, deleted, restored or about to expire",
            "tell_dns": "The DNS record that proves a domain is gone",
        }

    def save(self, commit=True):
        # Only these columns: the rest of the row may have changed since it was read.
        self.instance.save(update_fields=self.Meta.fields)
        return self.instance
