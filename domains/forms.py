import re

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from domains import names
from domains.models import Domain

MAX_ADDED = 100  # domains at once
_ATTRIBUTES = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}


def domain_name(text, *, user) -> str:
    """Return the stored form of a name that a user may add. Raises ValidationError."""
    try:
        name = names.normalise(text)
    except names.InvalidDomainName as error:
        raise ValidationError(str(error)) from None
    if name in {settings.SMTP_HOST.lower(), *settings.ALLOWED_HOSTS} and not user.is_staff:
        raise ValidationError("This is the name of this server. Ask its operator to add it.")
    return name


class AddDomainForm(forms.Form):
    """Add a domain by its name, as people paste it."""

    name = forms.CharField(
        label="Domain name",
        max_length=1000,
        strip=False,  # names.normalise strips spaces, and reports other characters
        help_text="The part after the @ in the addresses that you send from, like example.com.",
        widget=forms.TextInput(attrs=_ATTRIBUTES),
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_name(self):
        name = domain_name(self.cleaned_data["name"], user=self.user)
        if Domain.objects.for_user(self.user).filter(name=name).exists():
            raise ValidationError(f"{names.display(name)} is already in your list.")
        return name


class AddSeveralForm(forms.Form):
    """Add many domains by their names. Each is judged by itself, so that one that can't be added stops none."""

    names = forms.CharField(
        label="Domain names",
        max_length=MAX_ADDED * 300,
        help_text=f"One per line, or separated by commas; at most {MAX_ADDED}.",
        widget=forms.Textarea(attrs={"rows": 10, **_ATTRIBUTES}),
        error_messages={"required": "Enter the domain names, one per line."},
    )

    @classmethod
    def of(cls, texts):
        """Return the form with what is left to mend, below the reasons, which are to be read first."""
        form = cls(initial={"names": "\n".join(texts)})
        form.fields["names"].widget.attrs |= {"rows": 4, "autofocus": False}
        return form

    def clean_names(self) -> list[str]:
        """Return the texts between line breaks, tabs, commas and semicolons, each once."""
        pieces = [piece.strip() for piece in re.split(r"[\r\n\t,;]", self.cleaned_data["names"])]
        typed = list({piece.lower(): piece for piece in pieces if piece}.values())
        if not typed:
            raise ValidationError(self.fields["names"].error_messages["required"])
        if len(typed) > MAX_ADDED:
            raise ValidationError(
                f"Add at most {MAX_ADDED} domains at once. These are {len(typed)}; none was added."
            )
        return typed
