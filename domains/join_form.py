from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.core.exceptions import ValidationError

from accounts.models import User
from domains import labels


class PasswordField(forms.CharField):
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})

    def __init__(self, **options):
        super().__init__(strip=False, **options)


class JoinForm(forms.Form):
    """The account of an invited person; the address is the one that the link came to."""

    name = forms.CharField(
        label="Your name",
        required=False,
        help_text="The other members see it. May be blank.",
        widget=forms.TextInput(attrs={"autocomplete": "name", "maxlength": labels.MAX_LENGTH}),
        error_messages={"null_characters_not_allowed": "Remove the invisible characters."},
    )
    password1 = PasswordField(label="Password", help_text=password_validators_help_text_html())
    password2 = PasswordField(label="Password (again)")

    def __init__(self, *args, email, **kwargs):
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_name(self):
        return labels.clean(self.cleaned_data["name"])

    def clean_password1(self):
        person = User(email=self.email, name=self.cleaned_data.get("name", ""))
        return get_adapter().clean_password(self.cleaned_data["password1"], person)

    def clean_password2(self):
        if self.cleaned_data["password2"] != self.cleaned_data.get("password1", self.cleaned_data["password2"]):
            raise ValidationError("Type the same password twice.")
        return self.cleaned_data["password2"]

    def person(self) -> User:
        """The person, not saved yet."""
        user = User(email=self.email, name=self.cleaned_data["name"])
        user.set_password(self.cleaned_data["password1"])
        return user


def save(user):
    """Save a new person, with the address confirmed. Raises IntegrityError when it has an account."""
    user.save(force_insert=True)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
