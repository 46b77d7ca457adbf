"""Names that a person gives to things, to know them by: of a credential, of a domain."""

import unicodedata

import regex
from django.core.exceptions import ValidationError

MAX_LENGTH = 80
_OUTER_SPACES = regex.compile(r"\A\p{Zs}+|\p{Zs}+\Z")
# Control, bidi and zero-width characters, those that no font draws (the braille blank too), half pairs.
_MISLEADING = regex.compile(
    r"[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\N{BRAILLE PATTERN BLANK}]"
)
# An emoji is the one place for a variation selector and, before the next part of it, for a joiner:
# a family, a rainbow flag, a keycap.
_EMOJI = regex.compile(
    r"\p{Extended_Pictographic}(?:[\ufe0e\ufe0f\p{Emoji_Modifier}]|\u200d(?=\p{Extended_Pictographic}))*"
    r"|[0-9#*]\ufe0f\u20e3"
)


def clean(text: str) -> str:
    """Return the label in NFC without outer spaces; blank is allowed.

    Raises ValidationError on more than 80 characters, and on characters that can't be
    seen or that change the direction of the text around them: they make one label
    look like another.
    """
    label = _OUTER_SPACES.sub("", unicodedata.normalize("NFC", text))
    if len(label) > MAX_LENGTH:
        raise ValidationError(f"Use at most {MAX_LENGTH} characters (this has {len(label)}).")
    if _MISLEADING.search(_EMOJI.sub("", label)):
        raise ValidationError("Remove the invisible or control characters, then save again.")
    return label
