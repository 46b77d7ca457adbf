"""Template context of the hand-over links of one SMTP user."""

from django.utils import timezone

from credentials.forms import HandOverForm
from credentials.models import HandOver
from credentials.outcome import Outcome

# What to do first.
NOT_ACCEPTED = {
    Outcome.SUSPENDED: "This SMTP user is suspended. Resume it first.",
    Outcome.EXPIRED: "This SMTP user has expired. Change its expiry date first.",
    Outcome.DOMAIN_SUSPENDED: (
        "Support suspended the domain: nothing can be handed over until support resumes it."
    ),
    Outcome.DOMAIN_NOT_AUTHORIZED: "The domain can't send at the moment. Its Overview says what to do first.",
}


def hand_over_context(credential, *, form=None) -> dict:
    """What _hand_over.html needs beside row_context: the form, the open links, and the last opened one."""
    now = timezone.now()
    # Usually there is none: what is shown of them is only worth its cost where there is.
    known = HandOver.objects.not_revoked(credential)
    unused = [pk for pk, opened_at, valid_until in known if not opened_at and valid_until > now]
    was_opened = any(opened_at for _pk, opened_at, _valid_until in known)
    return {
        # A form that is only shown isn't made: it takes Django as long as the rest of the section.
        "hand_over_form": form,
        "valid_for": HandOverForm.base_fields["valid_for"],
        "open_links": list(credential.hand_overs.live(now).filter(pk__in=unused).listed()) if unused else [],
        "last_opened": credential.hand_overs.opened().first() if was_opened else None,
        "cannot_hand_over": NOT_ACCEPTED.get(credential.outcome(now), ""),
    }


def count_open_links(*credentials) -> int:
    """How many links a reset or deletion ends."""
    return HandOver.objects.filter(credential__in=credentials).live(timezone.now()).count()
