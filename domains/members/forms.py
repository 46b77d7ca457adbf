import re

from django import forms
from django.core.exceptions import ValidationError
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.html import format_html

from accounts import email_addresses
from domains.models import Domain
from domains.roles import Role
from web.characters import harmless

MAX_INVITED = 20
MAX_OTHER_DOMAINS = 100
MAX_QUOTED = 60
INVISIBLE_CHARACTERS = "Remove the invisible characters, then try again."


class RoleField(forms.ChoiceField):
    """One of the roles that a member may grant."""

    widget = forms.RadioSelect

    def __init__(self, **options):
        errors = {"required": "Choose a role.", "invalid_choice": "Choose one of these roles."}
        super().__init__(label="Role", error_messages=errors, **options)

    def offer(self, own_role):
        self.choices = [(role.value, role.label) for role in Role(own_role).grantable()]


class RoleForm(forms.Form):
    role = RoleField()

    def __init__(self, *args, own_role, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].offer(own_role)


class NamesField(forms.MultipleChoiceField):
    """Domain names, which the form looks up instead of listing all that there are."""

    def valid_value(self, value):
        return "\x00" not in value


class InviteForm(RoleForm):
    """Addresses, a role and further domains. Nothing is sent while one of them is wrong."""

    emails = forms.CharField(
        label="E-mail addresses",
        max_length=MAX_INVITED * 260,
        help_text=f"One per line, or separated by commas; at most {MAX_INVITED}.",
        widget=forms.Textarea(
            attrs={
                "rows": 3,
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
        error_messages={
            "required": "Enter the e-mail address of the person you're inviting.",
            "null_characters_not_allowed": INVISIBLE_CHARACTERS,
        },
    )
    also = NamesField(required=False, error_messages={"invalid_choice": INVISIBLE_CHARACTERS})
    field_order = ("emails", "role", "also")

    def __init__(self, *args, domain, user, **kwargs):
        super().__init__(*args, own_role=domain.role, initial={"role": Role.VIEWER}, **kwargs)
        self.domain, self.user = domain, user

    def clean_emails(self):
        pieces = [piece.strip() for piece in re.split(r"[\r\n,;]", self.cleaned_data["emails"])]
        typed = {piece.lower(): piece for piece in pieces if piece}
        if not typed:
            raise ValidationError(self.fields["emails"].error_messages["required"])
        if len(typed) > MAX_INVITED:
            raise ValidationError(f"Enter at most {MAX_INVITED} addresses at once (you entered {len(typed)}).")
        valid = list(dict.fromkeys(email_addresses.clean(text) for text in typed.values() if is_address(text)))
        invalid = [lower for lower, text in typed.items() if not is_address(text)]
        if problems := [*self._invalid(invalid), *self._members(valid), *self._invited(valid)]:
            raise ValidationError(problems)
        return valid

    def _invalid(self, texts):
        for text in sorted(texts):
            problem = f"“{_shortened(harmless(text))}” is not an e-mail address that can be invited."
            yield f"{problem} {email_addresses.hint(text)}".rstrip()

    def _members(self, emails):
        members = self.domain.memberships.annotate(email=Lower("user__email")).filter(email__in=emails)
        for email in members.values_list("email", flat=True):
            if email == self.user.email.lower():
                yield "You are already a member."
            else:
                yield f"{email} is already a member. Change the role in the list."

    def _invited(self, emails):
        for invitation in self.domain.invitations.live().filter(email__in=emails):
            yield format_html(
                '{} is already invited. <a href="{}" data-dialog>Resend</a>',
                invitation.email,
                reverse("domains:resend", args=[self.domain.name, invitation.public_id]),
            )

    def clean_also(self):
        """Return the domains of these names, all of which the inviter still has to own."""
        names = set(self.cleaned_data["also"]) - {self.domain.name}
        if len(names) > MAX_OTHER_DOMAINS:
            raise ValidationError(
                f"Choose at most {MAX_OTHER_DOMAINS} domains at once (you chose {len(names)})."
            )
        found = list(Domain.objects.owned_by(self.user).exclude(pk=self.domain.pk).filter(name__in=names))
        if names - {domain.name for domain in found}:
            raise ValidationError("You no longer own one of these domains. Choose again.")
        return found


def is_address(text: str) -> bool:
    """Whether mail can be sent to it: a host without a dot is this machine's own."""
    return email_addresses.is_valid(text) and "." in text.rpartition("@")[2]


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else text[:MAX_QUOTED] + "…"
