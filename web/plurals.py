"""Numbers with the thing that they count."""

from django.utils.translation import ngettext


def counted(number: int, one: str, many: str) -> str:
    """`1 login`, `2,000 logins`."""
    return f"{number:,} {ngettext(one, many, number)}"
