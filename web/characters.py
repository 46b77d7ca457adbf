"""Characters that are invisible or paint over the text around them: refused, or spelled out."""

import regex

# In a row on one letter. Hebrew with cantillation has 5, Burmese 7, a Tibetan stack 8: more than the 4 that
# UTS 39 section 5.4 allows.
MAX_MARKS = 8

# Control, bidi and zero-width characters, those that no font draws (also the braille blank), lone surrogates.
_INVISIBLE = regex.compile(
    r"[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\N{BRAILLE PATTERN BLANK}]"
)
_MANY_MARKS = regex.compile(rf"[\p{{Mn}}\p{{Me}}]{{{MAX_MARKS + 1}}}")
# Control characters of terminals, and those that turn or break the text around them. Not tabs and line ends.
_HARMFUL = regex.compile(r"[[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]--[\t\n\r]]", regex.V1)


def has_invisible(text: str) -> bool:
    return bool(_INVISIBLE.search(text))


def has_many_marks(text: str) -> bool:
    """Whether a letter has more marks than any script needs: they paint over the lines around it."""
    return bool(_MANY_MARKS.search(text))


def harmless(text: str) -> str:
    r"""Return foreign text with control characters spelled out, as \x1b."""
    # True of nearly every text, at a hundredth of the cost of the search.
    return text if text.isprintable() else _HARMFUL.sub(lambda match: ascii(match[0])[1:-1], text)
