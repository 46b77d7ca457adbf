from datetime import UTC, datetime

from django import forms
from django.conf import settings
from django.utils import timezone

from credentials import expiry, networks, rotation
from credentials.diagnosis.parser import MAX_LINE, visible
from credentials.models import LoginDay
from credentials.models.hand_over import VALID_FOR
from web import text
from web.dates import how_long


class AddForm(forms.Form):
    """One press of Add. Its key comes with the page, so a double click makes one credential."""

    key = forms.UUIDField()


class ConfirmForm(forms.Form):
    """The OK of an act that stops whatever uses a credential; if it is in use, with a box to tick.

    Use is checked again on submit, so that one since the question was asked counts as well.
    """

    sure = forms.BooleanField(
        label="I understand that anything using it will stop sending.",
        error_messages={"required": "Nothing was changed yet. Tick this box first, or press Cancel."},
    )

    def __init__(self, *args, credential, **kwargs):
        super().__init__(*args, **kwargs)
        now = timezone.now()
        self.in_use = self.is_in_use(credential, now)
        self.clients = LoginDay.objects.filter(username=credential.username).clients(now)
        if not self.in_use:
            del self.fields["sure"]

    @staticmethod
    def is_in_use(credential, now) -> bool:
        return credential.was_used_recently(now)


class LimitForm(ConfirmForm):
    """A limit on a credential: the box is only there if the limit stops what uses it now."""

    def __init__(self, *args, credential, **kwargs):
        super().__init__(*args, credential=credential, **kwargs)
        self.credential = credential
        if not self.is_bound:
            self.fields.pop("sure", None)

    def clean(self):
        if "sure" in self.fields and (self.errors.keys() - {"sure"} or not self.stops_its_use()):
            self.errors.pop("sure", None)
            del self.fields["sure"]

    def stops_its_use(self) -> bool:
        """Whether the limit would refuse something that used the credential within 24 hours."""
        raise NotImplementedError


class BulkForm(ConfirmForm):
    """An act on several credentials, with the box if any of them is in use."""

    def __init__(self, *args, credentials, **kwargs):
        never = datetime.min.replace(tzinfo=UTC)
        last = max(credentials, key=lambda credential: credential.last_used_at or never)
        super().__init__(*args, credential=last, **kwargs)
        if self.in_use and len(credentials) > 1:
            self.fields["sure"].label = "I understand that anything using them will stop sending."


class PasswordForm(ConfirmForm):
    """An act on a password, with the `password_changed_at` that the page showed."""

    seen = forms.DateTimeField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, credential, **kwargs):
        # As text: a widget would convert it to local time without a zone.
        seen = {"seen": credential.password_changed_at.isoformat()}
        super().__init__(*args, credential=credential, initial=seen, **kwargs)

    def clean_seen(self):
        seen = self.cleaned_data["seen"]
        try:
            return seen and seen.astimezone(UTC)
        except OverflowError:  # a first or last possible day, which no database can compare
            raise forms.ValidationError("This page is out of date. Reload it.") from None


class ResetForm(PasswordForm):
    """A reset, with or without a grace period for the old password.

    With one nothing stops, so there is no box; unless a grace period runs already whose old
    password is in use, since a reset ends that one.
    """

    keep = forms.ChoiceField(
        choices=rotation.CHOICES,
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "Choose one of these periods."},
    )
    field_order = ("seen", "keep", "sure")

    def __init__(self, *args, credential, **kwargs):
        super().__init__(*args, credential=credential, **kwargs)
        self.ends_grace_period = rotation.is_running(credential, timezone.now())
        self.stops_old = credential.was_old_password_used_recently(timezone.now())

    def clean_keep(self):
        return rotation.KEEP_FOR.get(self.cleaned_data["keep"])

    def clean(self):
        if self.cleaned_data.get("keep") and not self.stops_old:
            self.errors.pop("sure", None)


class RevokeOldForm(PasswordForm):
    @staticmethod
    def is_in_use(credential, now):
        return credential.was_old_password_used_recently(now)


class ExpiryForm(LimitForm):
    day = forms.DateField(
        label="Expires after",
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autofocus": True}),
        error_messages={"invalid": "Enter a date as year-month-day, like 2030-12-31."},
    )
    field_order = ("day", "sure")

    def __init__(self, *args, credential, **kwargs):
        day = credential.expires_at and expiry.day_of(credential.expires_at)
        super().__init__(*args, credential=credential, initial={"day": day}, **kwargs)
        self.fields["day"].help_text = (
            f"It works until the end of this day ({settings.TIME_ZONE}) and is refused after that. "
            "Leave this blank if it never expires."
        )
        limits = {"min": expiry.today().isoformat(), "max": expiry.latest().isoformat()}
        self.fields["day"].widget.attrs |= limits

    def clean_day(self):
        day = self.cleaned_data["day"]
        if day and day < expiry.today():
            raise forms.ValidationError(
                "This date has passed. Choose today or a later date, or suspend it now."
            )
        if day and day > expiry.latest():
            raise forms.ValidationError(
                f"Choose a date within {expiry.MAX_YEARS} years, or leave it blank so that it never expires."
            )
        return day

    def stops_its_use(self):
        day = self.cleaned_data["day"]
        return expiry.cuts_short(day and expiry.end_of(day), self.credential.expires_at, timezone.now())


class LabelForm(forms.Form):
    """A label, and the one that the page showed: None where a request doesn't say."""

    label = forms.CharField(
        label="Label",
        required=False,
        strip=False,
        help_text="Which site or app uses it. Only you and your team see it. Up to 80 characters; "
        "leave it blank to remove the label.",
        widget=forms.TextInput(attrs={"maxlength": text.MAX_LABEL, "autocomplete": "off", "autofocus": True}),
    )

    # Any text is allowed: it is only compared.
    seen = forms.Field(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, credential, **kwargs):
        shown = {"label": credential.label, "seen": credential.label}
        # Several rows can be edited at once, so each has ids of its own.
        super().__init__(*args, initial=shown, auto_id=f"%s-{credential.username}", **kwargs)

    def clean_label(self):
        return text.clean(self.cleaned_data["label"])


class NetworksForm(LimitForm):
    networks = forms.CharField(
        label="Allowed networks",
        required=False,
        strip=False,
        help_text="One per line: an IPv4 or IPv6 address, or a CIDR network like 192.0.2.0/24. "
        "Leave this blank to allow it from any address.",
        widget=forms.Textarea(
            attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false", "autofocus": True}
        ),
        error_messages={"null_characters_not_allowed": "Remove the invisible characters, then save again."},
    )

    field_order = ("networks", "sure")

    def __init__(self, *args, credential, **kwargs):
        lines = "\n".join(networks.listed(credential.allowed_networks))
        super().__init__(*args, credential=credential, initial={"networks": lines}, **kwargs)

    def clean_networks(self):
        return networks.clean(self.cleaned_data["networks"])

    def stops_its_use(self):
        used_from = {*self.clients, self.credential.last_used_ip or ""}
        before, after = self.credential.allowed_networks, self.cleaned_data["networks"]
        self.excluded = sorted(networks.excluded(after, before=before, used_from=used_from))
        return bool(self.excluded)


class HandOverForm(forms.Form):
    valid_for = forms.ChoiceField(
        label="The link works for",
        choices=[(value, how_long(time)) for value, time in VALID_FOR.items()],
        error_messages={
            "required": "Choose one of these periods.",
            "invalid_choice": "Choose one of these periods.",
        },
    )

    def clean_valid_for(self):
        return VALID_FOR[self.cleaned_data["valid_for"]]


class ExplainForm(forms.Form):
    """A line from a log. It is shown again without passwords and invisible characters."""

    line = forms.CharField(
        max_length=MAX_LINE,
        error_messages={
            "required": "Paste a line first.",
            "max_length": "Paste the line that shows the error, not the whole log: up to 2,000 characters.",
        },
    )

    def __init__(self, data):
        # The rest is beyond the limit in any case.
        super().__init__({"line": visible(data.get("line", "")[: 4 * MAX_LINE])})
