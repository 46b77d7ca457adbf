"""Numbers with the thing that they count."""


def counted(number: int, one: str, many: str) -> str:
    """`1 login`, `2,000 logins`."""
    # Every screen is in English. ngettext would take ten times as long, for each time of a list.
    return f"{number:,} {one if number == 1 else many}"
