"""Characters that nobody sees or that paint over what stands around them: refused, or spelled out."""

import regex

# In a row on one letter. Hebrew with cantillation has 5, Burmese 7 of which 3 take no room of their
# own, a Tibetan stack 8. UTS 39 section 5.4 draws the line at 4, which these don't keep to.
MAX_MARKS = 8

# Control, bidi and zero-width characters, those that no font draws (the braille blank too), half pairs.
_INVISIBLE = regex.compile(
    r"[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\N{BRAILLE PATTERN BLANK}]"
)
_MANY_MARKS = regex.compile(rf"[\p{{Mn}}\p{{Me}}]{{{MAX_MARKS + 1}}}")
# What a terminal obeys, and what turns or breaks the text around it. Tabs and line ends are left.
_HARMFUL = regex.compile(r"[[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]--[\t\n\r]]", regex.V1)


def has_invisible(text: str) -> bool:
    return bool(_INVISIBLE.search(text))


def has_many_marks(text: str) -> bool:
    """Whether more marks stand on one letter than any script needs: they paint over the lines around it."""
    return bool(_MANY_MARKS.search(text))


def harmless(text: str) -> str:
    r"""Return a text with what a terminal would obey spelled out, as \x1b; for what came from elsewhere."""
    # Nearly every text: isprintable costs a hundredth of the search.
    return text if text.isprintable() else _HARMFUL.sub(lambda match: ascii(match[0])[1:-1], text)
