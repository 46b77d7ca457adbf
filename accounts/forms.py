from django import forms

from accounts.models import User


class NotificationsForm(forms.ModelForm):
    """Which mails a person gets as an owner of domains."""

    class Meta:
        model = User
        fields = ("tell_members", "tell_credentials", "tell_dns")
        labels = {
            "tell_members": "Somebody becomes a member",
            "tell_credentials": "An SMTP password is reset, or an SMTP user is deleted",
            "tell_dns": "The DNS record that proves a domain is gone",
        }

    def save(self, commit=True):
        # Only these columns: the rest of the row may have changed since it was read.
        self.instance.save(update_fields=self.Meta.fields)
        return self.instance
