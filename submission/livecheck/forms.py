from django import forms


class CheckForm(forms.Form):
    """The options of a check."""

    sends = forms.BooleanField(required=False)

    def __init__(self, *args, email, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["sends"].label = f"Also send a test message to {email}"
