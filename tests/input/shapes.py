"""Texts of any length that are worst for patterns, normalisation and look-ups."""

# Repeated units of a text; each alone, and between two letters.
UNITS = {
    "letters": "a",
    "digits": "7",
    "blanks": " ",
    "tabs": "\t",
    "line ends": "\n",
    "CRLF": "\r\n",
    "no-break spaces": "\xa0",
    "ideographic spaces": "\u3000",
    "dots": ".",
    "commas": ",",
    "semicolons": ";",
    "colons": ":",
    "slashes": "/",
    "backslashes": "\\",
    "quotes": '"',
    "apostrophes": "'",
    "opened": "(",
    "closed": ")",
    "angles": "<",
    "brackets": "[",
    "braces": "{",
    "percent": "%",
    "equals": "=",
    "at": "@",
    "hyphens": "-",
    "nul": "\x00",
    "letters apart": "a ",
    "words of their own": "{n} ",
    "labels of their own": "{n}.",
    "fields of their own": "{n}={n}; ",
    "lines of their own": "{n}=x\n",
    "quoted": '"a"',
    "quoted ends": '";',
    "escaped": '\\"',
    "comments": "(a)",
    "nested words": 'a "b" (',
    "empty angles": "<>",
    "addresses": "a@b.example ",
    "hosts": "a.example,",
    "encoded words": "=?utf-8?q?a?= ",
    "begun words": "=?",
    "marks of two classes": "\u0315\u0300",
    "marks of one class": "\u0301",
    "jamo": "\u1100\u1161\u11a8",
    "dotted capitals": "\u0130",
    "joined emoji": "👩\u200d",
    "joiners": "\u200c",
    "viramas": "\u0dc1\u0dca\u200d",
    "full stops": "\u3002",
    "wide": "\uff41",
    "surrogates": "\ud800",
    "tags": "\U000e0041",
}


def shape(unit: str, head: str = "", tail: str = ""):
    """Return a function from a length to a text of units between a head and a tail."""

    def make(size: int) -> str:
        if "{n}" not in unit:
            middle = unit * (size // len(unit))
        else:
            length = len(unit) + 2 * unit.count("{n}")
            middle = "".join(unit.replace("{n}", f"{n:05}") for n in range(size // length))
        return f"{head}{middle}{tail}"

    return make


def shapes(heads=()):
    """Return (name, shape) of all units: alone, behind a letter, and behind each head."""
    for name, unit in UNITS.items():
        for head, tail in (("", "!"), ("a", "a"), *((head, "!") for head in heads)):
            yield f"{name} between {head!r} and {tail!r}", shape(unit, head, tail)
