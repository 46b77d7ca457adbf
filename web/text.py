"""Labels that users give to credentials and domains."""

import unicodedata

import regex
from django.core.exceptions import ValidationError

from web import characters

MAX_LABEL = 80
MAX_INPUT = 10 * MAX_LABEL  # NFC may join several characters into one letter
_SPACES = " \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# Variation selectors and joiners are allowed in emoji only: a family, a rainbow flag, a keycap.
_EMOJI = regex.compile(
    r"\p{Extended_Pictographic}(?:[\ufe0e\ufe0f\p{Emoji_Modifier}]|\u200d(?=\p{Extended_Pictographic}))*"
    r"|[0-9#*]\ufe0f\u20e3"
)
# … and where they change how letters are drawn (RFC 5892, appendix A.1 and A.2): Sinhala and Devanagari after
# a virama, Persian between letters that would join.
_JOINER = regex.compile(
    r"(?<=\p{ccc=9})(?:\u200d|\u200c(?=\p{L}))"
    r"|(?<=[\p{Joining_Type=L}\p{Joining_Type=D}]\p{Mn}{0,4})\u200c(?=[\p{Joining_Type=R}\p{Joining_Type=D}])"
)


def clean(text: str) -> str:
    """Return the label in NFC without outer spaces; blank is allowed.

    Raises ValidationError on more than 80 characters, and on characters that are invisible, change the
    direction of the text around them or paint over it: they make one label look like another.
    """
    label = text.strip(_SPACES)
    # Normalising marks in a row takes quadratic time.
    if len(label) <= MAX_INPUT:
        label = unicodedata.normalize("NFC", label)
    if len(label) > MAX_LABEL:
        raise ValidationError(f"Use at most {MAX_LABEL} characters (you entered {len(label)}).")
    if characters.has_invisible(_JOINER.sub("", _EMOJI.sub("", label))):
        raise ValidationError("Remove the invisible or control characters, then save again.")
    if characters.has_many_marks(label):
        raise ValidationError(f"Use at most {characters.MAX_MARKS} accents or marks on one letter.")
    return label
