from django import forms

from domains import names
from web import text

_PLAIN_INPUT = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class TitleForm(forms.Form):
    title = forms.CharField(
        label="Display name",
        required=False,
        strip=False,
        help_text="Nickname, shown beside the domain. Up to 80 characters; leave it blank to remove it.",
        widget=forms.TextInput(attrs={"maxlength": text.MAX_LABEL, "autocomplete": "off"}),
        error_messages={"null_characters_not_allowed": "Remove the invisible characters, then save again."},
    )

    def clean_title(self):
        return text.clean(self.cleaned_data["title"])


class TransferForm(forms.Form):
    """Choose the new owner among the other members."""

    member = forms.ChoiceField(
        label="New owner",
        error_messages={
            "required": "Choose the new owner.",
            "invalid_choice": "Choose one of the members in the list.",
        },
    )

    def __init__(self, *args, others, **kwargs):
        super().__init__(*args, **kwargs)
        self.others = {str(member.public_id): member for member in others}
        choices = [(key, f"{member.user} ({member.get_role_display()})") for key, member in self.others.items()]
        self.fields["member"].choices = [("", "Choose a member"), *choices]

    def clean_member(self):
        return self.others[self.cleaned_data["member"]]


class DeleteDomainForm(forms.Form):
    """Confirm by typing the domain's name, in either form, in upper or lower case."""

    name = forms.CharField(
        max_length=1000,
        widget=forms.TextInput(attrs=_PLAIN_INPUT | {"autofocus": True}),
        error_messages={"null_characters_not_allowed": "Remove the invisible characters."},
    )

    def __init__(self, *args, domain, **kwargs):
        super().__init__(*args, **kwargs)
        self.domain = domain
        self.fields["name"].label = f"Type {domain} to confirm"
        self.fields["name"].error_messages["required"] = f"Type {domain} to delete it."

    def clean_name(self):
        typed = self.cleaned_data["name"].strip().removesuffix(".").casefold()
        if typed not in (self.domain.name, str(self.domain).casefold(), names.display(self.domain.name)):
            raise forms.ValidationError(f"This isn't the domain's name. Type {self.domain} to delete it.")
        return typed
