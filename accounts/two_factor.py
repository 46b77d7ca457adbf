"""Two-factor sign-in: where it differs from allauth's own pages and forms."""

import logging
from contextlib import suppress

from allauth.core import context
from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import forms as codes
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from allauth.mfa.webauthn import views
from django import forms
from django.core.cache import cache

from accounts import code_limits
from accounts.allauth_internals import (
    TOTP_SECRET_KEY,
    complete_authentication,
    extract_user_from_response,
)
from accounts.client_address import address_of
from vault import cipher

log = logging.getLogger(__name__)

# Associated data without the user, whom allauth does not pass: a writer who swaps rows of this table can
# remove the second factor as well.
ASSOCIATED_DATA = "authenticator:secret"
REFUSED = (AttributeError, KeyError, TypeError, ValueError, forms.ValidationError)


class TwoFactorAdapter(DefaultMFAAdapter):
    """Seals TOTP secrets and the seeds of recovery codes with CREDENTIAL_KEYS."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "Incorrect code. Each code works once, for about a minute.",
        "passkey_refused": "This passkey wasn't accepted. Try again, or use another way.",
        "cannot_open": "The server can't check codes: none of its keys can unseal your secret. "
        "Ask the operator to check CREDENTIAL_KEYS.",
    }

    def encrypt(self, text):
        return cipher.seal(text, associated_data=ASSOCIATED_DATA)

    def decrypt(self, encrypted_text):
        try:
            return cipher.open(encrypted_text, associated_data=ASSOCIATED_DATA)
        except cipher.CannotOpen:
            raise self.validation_error("cannot_open") from None

    def generate_authenticator_name(self, user, type):
        count = Authenticator.objects.filter(user=user, type=type).count()
        return f"Passkey {count + 1}" if count else "Passkey"

    def get_public_key_credential_rp_entity(self):
        return super().get_public_key_credential_rp_entity() | {"name": "SendLayer"}


def code_field(label):
    attributes = {"autocomplete": "one-time-code", "spellcheck": "false", "autofocus": True}
    return forms.CharField(label=label, max_length=32, widget=forms.TextInput(attrs=attributes))


class _CodeForm(forms.Form):
    """A code of the app, or a recovery code. Each works once."""

    code = code_field("Code from your authenticator app, or a recovery code")

    def clean_code(self):
        code = self.cleaned_data["code"]
        with code_limits.code_try(self.user):
            self.authenticator = self._authenticator_of(code)
        return code

    def _authenticator_of(self, code):
        authenticators = Authenticator.objects.filter(user=self.user)
        for authenticator in authenticators.exclude(type=Authenticator.Type.WEBAUTHN):
            if authenticator.wrap().validate_code(code) and self._is_fresh(authenticator, code):
                authenticator.user = self.user
                return authenticator
        log.warning("Refused a code of person %s from %s", self.user.pk, address_of(context.request))
        raise TwoFactorAdapter().validation_error("incorrect_code")

    def _is_fresh(self, authenticator, code):
        """Whether a TOTP code is unused for as long as it is valid; allauth forgets it after one step."""
        if authenticator.type != Authenticator.Type.TOTP:
            return True
        seconds = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)
        digits = "".join(filter(str.isdigit, code))
        mark = f"accounts.totp.used:{self.user.pk}:{digits}"
        return cache.add(mark, True, timeout=seconds)


class AuthenticateForm(_CodeForm, codes.AuthenticateForm):
    pass


class ReauthenticateForm(_CodeForm, codes.ReauthenticateForm):
    pass


class ActivateTOTPForm(totp.ActivateTOTPForm):
    """Activation, which keeps the secret sealed in the session until the first code."""

    code = code_field("The code that the app shows now")

    def __init__(self, *args, **kwargs):
        session = context.request.session
        sealed = session.pop(TOTP_SECRET_KEY, None)
        if sealed:
            # A secret sealed with a removed key is replaced by a new one.
            with suppress(forms.ValidationError):
                session[TOTP_SECRET_KEY] = TwoFactorAdapter().decrypt(sealed)
        super().__init__(*args, **kwargs)
        session[TOTP_SECRET_KEY] = TwoFactorAdapter().encrypt(self.secret)


class AnswerField(forms.JSONField):
    """A browser's answer to a challenge. Django's own field fails with a 500 on deep or long JSON."""

    widget = forms.HiddenInput

    def to_python(self, value):
        try:
            return super().to_python(value)
        except (ValueError, RecursionError):
            raise TwoFactorAdapter().validation_error("passkey_refused") from None


class _PasskeyForm(forms.Form):
    """A passkey that is known. It can't be guessed, so attempts have no limit."""

    credential = AnswerField()

    def clean_credential(self):
        answer = self.cleaned_data["credential"]
        try:
            return complete_authentication(self.user or extract_user_from_response(answer), answer)
        except REFUSED as error:
            raise TwoFactorAdapter().validation_error("passkey_refused") from error


class AuthenticatePasskeyForm(_PasskeyForm, webauthn.AuthenticateWebAuthnForm):
    pass


class LoginPasskeyForm(_PasskeyForm, webauthn.LoginWebAuthnForm):
    pass


class ReauthenticatePasskeyForm(_PasskeyForm, webauthn.ReauthenticateWebAuthnForm):
    pass


def name_field():
    attributes = {"autocomplete": "off", "maxlength": 60, "autofocus": True}
    return forms.CharField(label="Name", max_length=60, widget=forms.TextInput(attrs=attributes))


class AddPasskeyForm(webauthn.AddWebAuthnForm):
    """A new passkey, which signs in alone: the device keeps it and unlocks it by PIN, face or finger."""

    name = name_field()
    credential = AnswerField()
    passwordless = None

    def clean(self):
        try:
            if not self.cleaned_data.get("credential"):
                raise KeyError("credential")
            self.cleaned_data["passwordless"] = True
            return super().clean()
        except REFUSED as error:
            raise TwoFactorAdapter().validation_error("passkey_refused") from error


class RenamePasskeyForm(webauthn.EditWebAuthnForm):
    name = name_field()


class ReauthenticatePasskeyView(views.ReauthenticateWebAuthnView):
    def form_invalid(self, form):
        # allauth would redirect to the sign-in, which leads a signed-in user away.
        return self.render_to_response(self.get_context_data())
