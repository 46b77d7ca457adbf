"""How many invitations are mailed in an hour: by one person, and to one address."""

from accounts.allauth_internals import consume

RATES = {"from": "60/h/user", "to": "10/h/key"}


def may_invite(request, emails) -> bool:
    """Count a letter to each address; False, with nothing counted, when that would be too many."""
    counted = []
    for email in emails:
        for action in RATES:
            usage = consume(request, app="domains", action=action, config=RATES, key=email)
            if not usage:
                for each in counted:
                    each.rollback()
                return False
            counted.append(usage)
    return True
