"""The roles of a domain's members, and which of them a member may grant."""

from django.db import models


class Role(models.TextChoices):
    """The roles, the highest first."""

    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    VIEWER = "viewer", "Viewer"

    @property
    def explanation(self) -> str:
        return _EXPLANATIONS[self]

    def is_above(self, other: str) -> bool:
        return _ORDER.index(self) < _ORDER.index(Role(other))

    def grantable(self) -> list["Role"]:
        """Return the roles that a member with this one may grant: none above it."""
        return _ORDER[_ORDER.index(self) :]


_ORDER = list(Role)
_EXPLANATIONS = {
    Role.OWNER: "Can do everything, including managing members, transferring ownership and deleting "
    "the domain.",
    Role.MANAGER: "Can see passwords, and add, reset and delete SMTP users.",
    Role.VIEWER: "Can see SMTP users and the activity, but no passwords.",
}
