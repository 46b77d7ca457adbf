"""CSV files for people who open them with a spreadsheet: RFC 4180, and no cell that is a formula."""

import csv
import re
from collections.abc import Iterable
from itertools import chain, islice

from django.http import StreamingHttpResponse

from web.characters import harmless

ROWS_IN_A_CHUNK = 100
# Excel takes a CSV file without it for one in the code page of its country, and shows é as Ã©.
# Python reads it as "utf-8-sig".
BOM = "\ufeff"
# What makes a cell a formula (OWASP, CSV Injection): = + - @, a tab or a line break before anything, and
# the full-width signs, which Excel takes for the narrow ones in Japanese. Spaces before them
# don't count, as programs may trim a cell. Where a spreadsheet splits lines at semicolons or tabs
# instead of commas, as Excel does in half of Europe, a cell begins behind one of those as well.
# Behind a tab they are looked for up to the next one, where a cell begins again: else a cell of tabs
# would be read as often as it has some.
_SIGN = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(rf"(\A|;)(?=\s*+{_SIGN}|[\t\r\n])|(\t)(?=[^\S\t]*+{_SIGN}|[\t\r\n])")


def safe(cell) -> str:
    """Return the text of a cell, with an apostrophe before whatever would be a formula."""
    return _FORMULA.sub(r"\1\2'", "" if cell is None else harmless(str(cell)))


def csv_file(name: str, header: list[str], rows: Iterable[Iterable]) -> StreamingHttpResponse:
    """Return a file to save as `name`, which is ASCII without quotes; `rows` are taken as it is sent."""
    response = StreamingHttpResponse(_chunks(header, rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


class _Line:
    """A file for csv.writer, whose `write` hands the line back."""

    def write(self, text):
        return text


def _chunks(header, rows):
    # All cells are quoted, so that no separator in them counts. CRLF is the writer's default.
    write = csv.writer(_Line(), quoting=csv.QUOTE_ALL).writerow
    lines = (write([safe(cell) for cell in row]) for row in chain([header], rows))
    yield BOM
    while chunk := "".join(islice(lines, ROWS_IN_A_CHUNK)):
        yield chunk
