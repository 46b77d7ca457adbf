"""Names that a person gives to things, to know them by: of a credential, of a domain."""

import unicodedata

from django.core.exceptions import ValidationError

MAX_LENGTH = 80
_JOINER = "\u200d"  # joins emoji such as family and flag sequences; invisible elsewhere


def clean(text: str) -> str:
    """Return the label in NFC without outer spaces; blank is allowed.

    Raises ValidationError on more than 80 characters, and on characters that can't be
    seen or that change the direction of the text around them: they make one label
    look like another.
    """
    label = unicodedata.normalize("NFC", text.strip(" "))
    if len(label) > MAX_LENGTH:
        raise ValidationError(f"Use at most {MAX_LENGTH} characters (this has {len(label)}).")
    for position, character in enumerate(label):
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            if character == _JOINER and _is_symbol(label, position - 1) and _is_symbol(label, position + 1):
                continue
            raise ValidationError("Remove the invisible or control characters, then save again.")
    return label


def _is_symbol(label: str, position: int) -> bool:
    # A variation selector (Mn) or skin tone (Sk) may stand between an emoji and the joiner.
    return 0 <= position < len(label) and unicodedata.category(label[position]) in ("So", "Sk", "Mn", "Sm")
