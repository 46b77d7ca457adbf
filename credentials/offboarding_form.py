from django import forms
from django.utils import timezone

from credentials import rotation
from credentials.forms import BulkForm


class ResetManyForm(BulkForm):
    """A reset of several, with or without a grace period for the old passwords.

    With one there is no box, as in ResetForm, unless that ends another one whose old password is in use.
    """

    keep = forms.ChoiceField(
        choices=rotation.CHOICES,
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "Choose one of these periods."},
    )
    field_order = ("keep", "sure")

    def __init__(self, *args, credentials, **kwargs):
        super().__init__(*args, credentials=credentials, **kwargs)
        now = timezone.now()
        self.ending = [credential for credential in credentials if rotation.is_running(credential, now)]
        self.stops_old = any(credential.was_old_password_used_recently(now) for credential in self.ending)

    def clean_keep(self):
        return rotation.KEEP_FOR.get(self.cleaned_data["keep"])

    def clean(self):
        if self.cleaned_data.get("keep") and not self.stops_old:
            self.errors.pop("sure", None)
