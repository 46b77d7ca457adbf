"""CSV files for spreadsheets: RFC 4180, and no cell is a formula."""

import csv
import re
from collections.abc import Iterable
from itertools import chain, islice

from django.http import StreamingHttpResponse

from web.characters import harmless

ROWS_IN_A_CHUNK = 100
# Without it Excel reads a CSV file in the code page of its country and shows é as Ã©. Python reads it as
# "utf-8-sig".
BOM = "\ufeff"
# What makes a cell a formula (OWASP, CSV Injection): a leading = + - @, tab or line break, and the full-width
# signs, which Excel reads as the narrow ones in Japanese. Leading spaces don't count: programs may trim them.
# Excel in half of Europe splits lines at semicolons or tabs, so a cell may also start behind one of those.
# The search behind a tab ends at the next one; otherwise a cell of tabs would take quadratic time.
_SIGN = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(rf"(\A|;)(?=\s*+{_SIGN}|[\t\r\n])|(\t)(?=[^\S\t]*+{_SIGN}|[\t\r\n])")


def safe(cell) -> str:
    """Return the text of a cell, with an apostrophe before each formula."""
    return _FORMULA.sub(r"\1\2'", "" if cell is None else harmless(str(cell)))


def csv_file(name: str, header: list[str], rows: Iterable[Iterable]) -> StreamingHttpResponse:
    """Return a file to save as `name`, which is ASCII without quotes; `rows` are taken as it is sent."""
    response = StreamingHttpResponse(_chunks(header, rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


class _Line:
    """A file for csv.writer, whose `write` returns the line."""

    def write(self, text):
        return text


def _chunks(header, rows):
    # All cells are quoted, so separators in them are text. CRLF is the writer's default.
    write = csv.writer(_Line(), quoting=csv.QUOTE_ALL).writerow
    lines = (write([safe(cell) for cell in row]) for row in chain([header], rows))
    yield BOM
    while chunk := "".join(islice(lines, ROWS_IN_A_CHUNK)):
        yield chunk
