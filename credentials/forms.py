from django import forms

from credentials import labels


class AddForm(forms.Form):
    """One press of Add. The key was made with the page, so a double click makes one credential."""

    key = forms.UUIDField()


class ResetForm(forms.Form):
    """A reset, and the `password_changed_at` that the person was looking at."""

    seen = forms.DateTimeField(required=False)


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
