"""The documents name existing tests and files, and every requirement of ASVS 5.0 at levels 1 and 2."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.servers import ROOT

DOCUMENTS = [
    "docs/asvs.md",
    "docs/security.md",
    "docs/operate.md",
    "docs/dkim.md",
    "docs/container.md",
    "SECURITY.md",
]
FOLDERS = "|".join(sorted(path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] not in "._"))
# A path below one of our folders or a file of the root, optionally with a test.
NAMED = re.compile(
    rf"(?:(?:{FOLDERS})/[\w./-]*\w|[\w-]+\.(?:py|md|txt|toml)|\.env\.example)(?:::[\w:]+)?",
)
LINKED = re.compile(r"\]\((?!https?:)([^)#]+)\)")
ROW = re.compile(r"\| (V\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \| (.+) \|")
STATUSES = ("met", "n.a.", "not met")
LINE = 112  # outside tables and code
IDS = (Path(__file__).parent / "asvs_ids.txt").read_text().split()


def text_of(document) -> str:
    return (ROOT / document).read_text()


def named_in(document) -> list[str]:
    quoted = re.findall("`([^`\n]+)`", text_of(document))
    return [text for text in quoted if NAMED.fullmatch(text) or "::" in text]


def rows() -> list[tuple[str, ...]]:
    lines = text_of("docs/asvs.md").splitlines()
    found = [ROW.fullmatch(line) for line in lines if line.startswith("| V")]
    assert all(found), "a row of docs/asvs.md is not of the form | id | words | status | evidence |"
    return [row.groups() for row in found]


@cache
def tests_of(path) -> set[str]:
    """The tests of a file: `name`, or `Class::name`."""
    found = set()
    for node in ast.parse((ROOT / path).read_text()).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        before = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {f"{before}{child.name}" for child in inner if isinstance(child, ast.FunctionDef)}
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_and_test_named_in_documents_exists(document):
    missing = []
    for name in named_in(document):
        path, _, test = name.partition("::")
        if not (ROOT / path).exists() or (test and test not in tests_of(path)):
            missing.append(name)
    links = [
        link for link in LINKED.findall(text_of(document)) if not ((ROOT / document).parent / link).exists()
    ]
    assert missing + links == []


def test_documents_name_enough_files_and_tests():
    numbers = Counter("::" in name for document in DOCUMENTS for name in named_in(document))
    assert numbers[True] > 200 and numbers[False] > 30
    assert not NAMED.fullmatch("/healthz") and not NAMED.fullmatch("rotate_keys")
    assert "test_every_error_page_has_the_headers" in tests_of("tests/routes/test_headers.py")


def test_asvs_lists_every_requirement_once_in_order():
    assert len(IDS) == len(set(IDS)) == 253
    assert [id for id, *_ in rows()] == IDS


def test_asvs_rows_have_a_status_and_met_ones_evidence():
    for id, words, status, evidence in rows():
        assert status in STATUSES, id
        assert words.strip() and evidence.strip(), id
        assert len(words.split()) <= 12, f"{id}: a few words of our own"


def test_asvs_totals_match_the_rows():
    counts = Counter(status for _id, _words, status, _evidence in rows())
    met, absent, missing = (counts[status] for status in STATUSES)
    total = f"**{met} met, {absent} not applicable, {missing} not met**, of {len(IDS)}."
    assert total in text_of("docs/asvs.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_lines_are_short_enough(document):
    text = re.sub(r"```.*?```", "", text_of(document), flags=re.S)
    long = [line for line in text.splitlines() if len(line) > LINE and not line.startswith("|")]
    assert [line for line in long if " " in line.strip(" -")] == []
