from datetime import UTC

from django import forms
from django.utils import timezone

from credentials import networks
from domains import labels


class AddForm(forms.Form):
    """One press of Add. The key was made with the page, so a double click makes one credential."""

    key = forms.UUIDField()


class TakeAwayForm(forms.Form):
    """The OK of an act that stops whatever uses a credential: while that is in use, with a tick more.

    Judged when the answer comes, so that a use after the question was asked counts as well.
    """

    sure = forms.BooleanField(
        label="I know that whatever uses it will stop sending.",
        error_messages={"required": "Nothing is changed yet: tick this first, or press Cancel."},
    )

    def __init__(self, *args, credential, **kwargs):
        super().__init__(*args, **kwargs)
        self.in_use = credential.was_used_lately(timezone.now())
        if not self.in_use:
            del self.fields["sure"]


class DeleteForm(TakeAwayForm):
    pass


class ResetForm(TakeAwayForm):
    """A reset, and the `password_changed_at` that the person was looking at."""

    seen = forms.DateTimeField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, credential, **kwargs):
        # As text: a widget would make a local time of it, without its zone.
        seen = {"seen": credential.password_changed_at.isoformat()}
        super().__init__(*args, credential=credential, initial=seen, **kwargs)

    def clean_seen(self):
        seen = self.cleaned_data["seen"]
        try:
            return seen and seen.astimezone(UTC)
        except OverflowError:  # year 1, east of Greenwich
            raise forms.ValidationError("This is no time that there was.") from None


class LabelForm(forms.Form):
    label = forms.CharField(
        label="Label",
        required=False,
        strip=False,
        help_text="Which site or app uses it, for you to know. Up to 80 characters; blank removes it.",
        widget=forms.TextInput(
            attrs={"maxlength": labels.MAX_LENGTH, "autocomplete": "off", "autofocus": True}
        ),
    )

    def clean_label(self):
        return labels.clean(self.cleaned_data["label"])


class NetworksForm(forms.Form):
    networks = forms.CharField(
        label="Allowed networks",
        required=False,
        strip=False,
        help_text="One per line: an IPv4 or IPv6 address, or a CIDR network like 192.0.2.0/24. "
        "Blank allows it from anywhere.",
        widget=forms.Textarea(
            attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false", "autofocus": True}
        ),
        error_messages={"null_characters_not_allowed": "Remove the invisible characters, then save again."},
    )

    def clean_networks(self):
        return networks.clean(self.cleaned_data["networks"])
