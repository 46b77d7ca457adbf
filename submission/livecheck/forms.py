from django import forms


class CheckForm(forms.Form):
    """What a check does beside the login."""

    sends = forms.BooleanField(required=False)

    def __init__(self, *args, email, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["sends"].label = f"Also send a test message to {email}"
