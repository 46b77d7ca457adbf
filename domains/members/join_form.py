from allauth.account.adapter import get_adapter
from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from accounts.models import User
from web import text


class PasswordField(forms.CharField):
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})

    def __init__(self, **options):
        super().__init__(strip=False, **options)


class JoinForm(forms.Form):
    """The new account of an invited person, for the address that the link was sent to.

    `account` is the unconfirmed account of this address, if somebody signed up with it.
    """

    name = forms.CharField(
        label="Your name",
        required=False,
        help_text="The other members see it. Optional.",
        widget=forms.TextInput(attrs={"autocomplete": "name", "maxlength": text.MAX_LABEL}),
        error_messages={"null_characters_not_allowed": "Remove the invisible characters."},
    )
    password1 = PasswordField(label="Password", help_text=password_validators_help_text_html())
    password2 = PasswordField(label="Password (again)")

    def __init__(self, *args, email, account=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.email, self.account = email, account

    def clean_name(self):
        return text.clean(self.cleaned_data["name"])

    def clean_password1(self):
        user = User(email=self.email, name=self.cleaned_data.get("name", ""))
        return get_adapter().clean_password(self.cleaned_data["password1"], user)

    def clean_password2(self):
        if self.cleaned_data["password2"] != self.cleaned_data.get("password1", self.cleaned_data["password2"]):
            raise ValidationError("Type the same password twice.")
        return self.cleaned_data["password2"]

    def user(self) -> User:
        """Return the user, not saved yet."""
        user = self.account or User(email=self.email)
        user.name = self.cleaned_data["name"]
        user.set_password(self.cleaned_data["password1"])
        return user


def save(user):
    """Save the user, with the address confirmed. Raises IntegrityError when the account exists already."""
    if user.pk is None:
        user.save(force_insert=True)
        user.confirm()
        return
    if User.objects.select_for_update().get(pk=user.pk).is_confirmed:
        raise IntegrityError
    user.save(update_fields=["name", "password"])
    user.hand_over()
