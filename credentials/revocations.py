"""Which events take something away from an SMTP user, so that mail servers have to refuse it."""

from typing import Any

# Tag → what its page is headed by. An expiry date is not among them: each server keeps it by its own clock.
TAGS = {
    "credential.deleted": "SMTP user deleted",
    "credential.suspended": "SMTP user suspended",
    "credential.reset": "old password",
    "credential.old_password_revoked": "old password",
    "credential.networks_set": "all other networks",
    "domain.suspended": "domain suspended",
    "domain.deleted": "domain deleted",
}
# After these, every login is refused until one of the others.
OF_ALL_LOGINS = ("credential.deleted", "credential.suspended", "domain.suspended", "domain.deleted")
TAKEN_BACK_BY = ("credential.resumed", "credential.restored", "domain.resumed")


def revokes(event: Any) -> bool:
    """Whether an event refuses something from its commit on. Reads its tag and data alone."""
    if event.tag == "credential.reset":
        return not event.data.get("kept_for")  # the old password goes on for a while
    if event.tag == "credential.networks_set":
        return bool(event.data.get("networks"))
    return event.tag in TAGS
