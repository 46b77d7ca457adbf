"""Limits of the invitations that are e-mailed in an hour: by one user, and to one address."""

from accounts.allauth_internals import consume

INVITATION_RATES = {"from": "60/h/user", "to": "10/h/key"}


def may_invite(request, addresses) -> bool:
    """Count an e-mail to each address; return False and count none when that would be too many."""
    counted = []
    for email in addresses:
        for action in INVITATION_RATES:
            usage = consume(request, app="domains", action=action, config=INVITATION_RATES, key=email)
            if not usage:
                for earlier in counted:
                    earlier.rollback()
                return False
            counted.append(usage)
    return True
