from django import forms
from django.conf import settings

from domains import names
from domains.models import Domain


class AddDomainForm(forms.Form):
    """Add a domain by its name, as people paste it."""

    name = forms.CharField(
        label="Domain name",
        max_length=1000,
        strip=False,  # names.normalise strips spaces, and reports other characters
        help_text="The part after the @ in the addresses that you send from, like example.com.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_name(self):
        try:
            name = names.normalise(self.cleaned_data["name"])
        except names.InvalidDomainName as error:
            raise forms.ValidationError(str(error)) from None
        if name in {settings.SMTP_HOST.lower(), *settings.ALLOWED_HOSTS} and not self.user.is_staff:
            raise forms.ValidationError("This is the name of this server. Ask its operator to add it.")
        if Domain.objects.for_user(self.user).filter(name=name).exists():
            raise forms.ValidationError(f"{names.display(name)} is already in your list.")
        return name
