"""Deceptive characters in domain names: invisible ones, and mixed scripts that look alike.

UTS 39 section 5.2, "highly restrictive": a label is of one script, or of one of the mixtures that Japanese,
Chinese and Korean are written in together with Latin.
"""

import unicodedata
from functools import cache

import regex

from web import characters

# U+200C and U+200D, which words of Persian and Sinhala need (RFC 5892 appendix A.1 and A.2).
JOINERS = frozenset("\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}")
MIXTURES = (
    ("Latin", "Han", "Hiragana", "Katakana"),
    ("Latin", "Han", "Bopomofo"),
    ("Latin", "Han", "Hangul"),
)
# UAX 31 tables 5 and 7: the scripts of today's languages.
SCRIPTS = (
    "Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han "
    "Hangul Hebrew Hiragana Kannada Katakana Khmer Lao Latin Malayalam Myanmar Oriya Sinhala Tamil Telugu "
    "Thaana Thai Tibetan Adlam Balinese Bamum Batak Canadian_Aboriginal Chakma Cham Cherokee Hanifi_Rohingya "
    "Javanese Kayah_Li Lepcha Limbu Lisu Mandaic Meetei_Mayek Miao New_Tai_Lue Newa Nko "
    "Nyiakeng_Puachue_Hmong Ol_Chiki Osage Saurashtra Sundanese Syloti_Nagri Syriac Tai_Le Tai_Tham Tai_Viet "
    "Tifinagh Vai Wancho Yi "
)

# After a letter that has a dot: lower-case İ is i and U+0307, drawn like i alone (UTS 39 section 5.4).
_SECOND_DOT = regex.compile(r"(?<=\p{Soft_Dotted})\u0307")
# Whole labels of these read as Latin: Cyrillic аррӏе, Greek ανο.
_LOOKALIKES = regex.compile(r"[0-9-]*+(?:[аысԁеԍһіюјӏорԗԛѕԝхуъьҽпгѵѡ0-9-]++|[αικνρυωητο0-9-]++)")

SPACE = "A domain name has no spaces or line breaks. Remove them, and add one domain at a time."
CONTROL = "This name contains a control character, which is invisible. Type the name manually."
BIDI = "This name contains a character that changes the writing direction. Type the name manually."
INVISIBLE_CHARACTER = "This name contains an invisible character. Type the name manually."
WIDE = "This name contains full-width or half-width characters. Type it in ordinary ones."
MARKS = (
    f"This name has more than {characters.MAX_MARKS} accents or marks on one letter. Type the name manually."
)
MIXED = "“{label}” mixes letters from different alphabets that look alike. Type the name in one alphabet."


def complaint(text: str) -> str:
    """Return what is wrong with the characters of a pasted text; "" when nothing is.

    The decoded name is too late for this: the mapping of UTS 46 silently drops or replaces such characters,
    except joiners, which IDNA judges by the letters around them.
    """
    for character in text:
        if character.isspace():
            return SPACE
        if unicodedata.category(character) == "Cc":
            return CONTROL
        if regex.match(r"\p{Bidi_Control}", character):
            return BIDI
        if character not in JOINERS and regex.match(r"\p{Default_Ignorable_Code_Point}|\p{Cf}", character):
            return INVISIBLE_CHARACTER
        if unicodedata.decomposition(character).startswith(("<wide>", "<narrow>")):
            return WIDE
    return MARKS if characters.has_many_marks(text) else ""


def is_mixed(label: str) -> bool:
    """Whether a U-label mixes scripts that aren't written together."""
    return not label.isascii() and not _unmixed().fullmatch(label)


def looks_like_another(label: str) -> bool:
    """Whether a reader would take a U-label for a Latin one, or for the one without its joiners."""
    if label.isascii():
        return False
    return bool(_LOOKALIKES.fullmatch(label) or has_second_dot(label) or has_joiner(label))


def has_joiner(text: str) -> bool:
    return not JOINERS.isdisjoint(text)


def has_second_dot(text: str) -> bool:
    """Whether a lower-case text has an i or j with a second, invisible dot."""
    return bool(_SECOND_DOT.search(text))


def without_second_dot(text: str) -> str:
    return _SECOND_DOT.sub("", text)


@cache
def _unmixed() -> regex.Pattern:
    """Match a label of one script or one mixture, with the characters that all scripts share."""
    sets = (*MIXTURES, *((script,) for script in SCRIPTS.split()))
    classes = (
        "".join(rf"\p{{scx={script}}}" for script in (*scripts, "Common", "Inherited")) for scripts in sets
    )
    return regex.compile("|".join(f"[{scripts}]++" for scripts in classes))
