"""`manage.py verify_audit` names the first changed event; `export_audit` makes a copy."""

import json
import os
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

import audit
from audit import chain
from audit.models import ChainKey, Event
from tests.audit.tampering import make_events, verify
from tests.factories import SYSTEM, make_domain
from vault.cipher import CannotOpen

pytestmark = pytest.mark.django_db


@pytest.fixture
def events(domain):
    """Numbers 1 to 6 of sl.example.com, beside other chains that are intact."""
    audit.record("account.renamed", by=SYSTEM)
    make_events(make_domain("other.example.com"), 2)
    make_events(domain, 5)
    return list(Event.objects.filter(domain=domain).order_by("number"))


def row(event):
    return Event.objects.filter(pk=event.pk)


def export(tmp_path, *arguments):
    path = tmp_path / "audit.jsonl"
    call_command("export_audit", str(path), *arguments)
    return path


def test_intact_chains_are_counted_and_their_ends_printed(events):
    result = verify()
    assert result.faults == [] and "10 events: no chain is broken." in result.out
    end = events[-1]
    assert f"{end.domain_id}\t6\t{end.digest}\tsl.example.com\n" in result.out
    assert verify("--domain", "other.example.com").out.count("\n") == 2


@pytest.mark.parametrize(
    "columns",
    [
        {"tag": "credential.deleted"},
        {"actor_id": 999_999},
        {"actor_name": "bob@example.com"},
        {"domain_name": "evil.example.com"},
        {"credential": "B" * 32},
        {"ip": "203.0.113.8"},
        {"user_agent": "x"},
        {"data": {"label": "other"}},
        {"at": timezone.now()},
        {"digest": "0" * 64},
    ],
)
def test_changed_column_is_located(events, columns):
    row(events[2]).update(**columns)
    (fault,) = verify().faults
    assert fault.endswith(f"number 3 (event {events[2].pk}) was changed or moved")
    assert f"(domain {events[2].domain_id})" in fault


@pytest.mark.sqlite  # PostgreSQL's columns hold nothing else
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("ip", "x"),
        ("at", "x"),
        ("at", "2026-13-01"),
        ("data", b"\xff"),
        ("tag", b"\xff"),
        ("domain_name", b"\xff"),
    ],
)
def test_impossible_value_is_located(events, column, value):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(f"UPDATE audit_event SET {column} = %s WHERE id = %s", [value, events[2].pk])  # noqa: S608
        cursor.execute("PRAGMA ignore_check_constraints = OFF")
    (fault,) = verify().faults
    assert fault.endswith(f"number 3 (event {events[2].pk}) was changed or moved")


def test_deleted_event_is_found(events):
    row(events[2]).delete()
    (fault,) = verify().faults
    assert fault.endswith(f"number 3 is missing: number 4 (event {events[3].pk}) follows 2")


def test_deleted_first_event_is_found(events):
    row(events[0]).delete()
    assert "number 1 is missing" in verify().faults[0]


def test_swapped_events_are_found(events):
    row(events[1]).update(number=99)
    row(events[3]).update(number=2)
    row(events[1]).update(number=4)
    (fault,) = verify().faults
    assert f"number 2 (event {events[3].pk})" in fault


def test_event_moved_to_another_domain_is_found_in_both(events):
    row(events[5]).update(domain=make_domain("third.example.com"), number=2)
    assert [fault.partition(" (domain")[0] for fault in verify().faults] == ["third.example.com"]
    row(events[2]).update(domain=None, number=2)
    broken = {fault.partition(" (domain")[0].partition(":")[0] for fault in verify().faults}
    assert broken == {"third.example.com", "sl.example.com", "Events without a domain"}


def test_event_inserted_by_hand_is_found(events):
    columns = Event.objects.filter(pk=events[-1].pk).values().get() | {"id": None, "number": 7}
    Event.objects.create(**columns)
    assert "number 7" in verify().faults[0]
    Event.objects.filter(number=7).update(number=None, digest="")
    assert verify().faults[0].startswith("In no chain: 1 event, the first is event ")


def test_digests_recomputed_without_the_key_are_found(events):
    previous = ""
    for event in events:
        columns = row(event).values(*chain.COLUMNS).get() | {"actor_name": "bob"}
        previous = chain.digest(b"guessed", previous, chain.content(columns))
        row(event).update(actor_name="bob", digest=previous)
    assert "number 1 (" in verify().faults[0]


def test_lost_end_of_chain_is_found_by_expected_heads_only(events, tmp_path):
    noted = tmp_path / "noted"
    noted.write_text(verify().out)
    make_events(events[0].domain, 1)
    assert verify("--expect", str(noted)).faults == []
    Event.objects.filter(domain=events[0].domain, number__gt=4).delete()
    assert verify().faults == []
    (fault,) = verify("--expect", str(noted)).faults
    assert fault.endswith("ends with number 4, before number 6, which was noted")
    Event.objects.filter(domain=events[0].domain).delete()
    assert "all its events are gone; 6 were noted" in verify("--expect", str(noted)).faults[0]
    assert verify("--expect", str(noted), "--domain", "other.example.com").faults == []


@contextmanager
def standard_input(path):
    before = os.dup(0)
    with open(path) as file:
        os.dup2(file.fileno(), 0)
    try:
        yield
    finally:
        os.dup2(before, 0)
        os.close(before)


@pytest.mark.parametrize("option", ["--expect", "--file"])
def test_dash_reads_what_only_root_could_open_from_standard_input(events, tmp_path, option):
    """sendlayer-manage runs in another folder, as a user who can't read root's files."""
    path = tmp_path / "noted"
    path.write_text(verify().out)
    given = path if option == "--expect" else export(tmp_path)
    with standard_input(given):
        assert verify(option, "-").faults == []
    given.write_text(given.read_text().replace(events[5].digest, events[4].digest))
    with standard_input(given):
        assert verify(option, "-").faults != []


def test_rewritten_chain_is_found_by_expected_heads(events, tmp_path):
    noted = tmp_path / "noted"
    noted.write_text(verify().out)
    Event.objects.filter(domain=events[0].domain).delete()
    make_events(events[0].domain, 6)
    assert verify().faults == []
    assert "not the one that was noted" in verify("--expect", str(noted)).faults[0]


def test_file_without_heads_is_refused(events, tmp_path):
    (tmp_path / "noted").write_text("nothing\n")
    assert "holds no output of this command" in verify("--expect", str(tmp_path / "noted")).faults[0]
    assert "No such file" in verify("--file", str(tmp_path / "none")).faults[0]


@pytest.mark.parametrize("sealed", [None, "v1.k1.AAAA", ""])
def test_verification_without_the_key_fails_and_makes_none(events, sealed):
    rows = ChainKey.objects.all()
    _ = rows.delete() if sealed is None else rows.update(sealed=sealed)
    assert verify().faults[0].startswith("The key of the chains ")
    assert ChainKey.objects.count() == (sealed is not None)


def test_recording_without_the_key_fails_and_makes_none(events):
    ChainKey.objects.all().delete()
    before = Event.objects.count()
    for domain in (events[0].domain, None):
        with pytest.raises(CannotOpen, match="is gone"), transaction.atomic():
            make_events(domain, 1)
    assert Event.objects.count() == before and not ChainKey.objects.exists()


def test_empty_site_is_intact(db):
    assert verify().out == "0 events: no chain is broken.\n" and not ChainKey.objects.exists()


def test_number_of_queries_does_not_depend_on_chains(events, django_assert_max_num_queries):
    for number in range(5):
        make_events(make_domain(f"d{number}.example.com"), 20)
    with django_assert_max_num_queries(6):
        assert verify().faults == []


@pytest.mark.postgresql  # SQLite has no roles
def test_role_that_may_change_events_is_noted(events):
    assert "may change and delete events" in verify().notes[0]


class TestExport:
    def test_holds_all_events_and_columns_and_verifies_alone(self, events, tmp_path):
        path = export(tmp_path)
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert len(lines) == 10 and path.stat().st_mode & 0o777 == 0o600
        assert {line["id"] for line in lines} == set(Event.objects.values_list("pk", flat=True))
        assert lines[0].keys() == {"id", "previous", "digest", *chain.COLUMNS}
        Event.objects.all().delete()
        result = verify("--file", str(path))
        assert result.faults == [] and "10 events" in result.out

    def test_heads_of_a_file_can_be_expected_of_the_database(self, events, tmp_path):
        noted = tmp_path / "noted"
        noted.write_text(verify("--file", str(export(tmp_path))).out)
        assert verify("--expect", str(noted)).faults == []
        row(events[5]).delete()
        assert "ends with number 5" in verify("--expect", str(noted)).faults[0]

    def test_one_domain_goes_to_standard_output(self, events, capsys):
        call_command("export_audit", "-", "--domain", "other.example.com")
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["number"] for line in lines] == [1, 2, 3]

    def test_since_exports_a_verifiable_tail(self, events, tmp_path):
        path = export(tmp_path, "--since", events[3].at.isoformat())
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert [line["number"] for line in lines] == [4, 5, 6]
        result = verify("--file", str(path))
        assert result.faults == [] and "begins with number 4 here" in result.notes[0]
        assert export(tmp_path, "--since", "2999-01-01").read_text() == ""

    @pytest.mark.parametrize("since", ["yesterday", "2026-13-01", ""])
    def test_invalid_time_is_refused(self, tmp_path, since):
        if since:
            with pytest.raises(CommandError, match="is not a time"):
                export(tmp_path, "--since", since)

    def test_flipped_byte_is_found(self, events, tmp_path):
        path = export(tmp_path, "--domain", "sl.example.com")
        whole = path.read_bytes()
        ids = [place for place in range(len(whole)) if whole[:place].endswith(b'"id": ')]
        # The id names a row to people; it is in no digest, since it is given after that.
        free = {place + digit for place in ids for digit in range(len(str(Event.objects.latest("pk").pk)))}
        for place in range(0, len(whole) - 1, 23):
            if place not in free:
                path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
                assert verify("--file", str(path)).faults, whole[place - 20 : place + 20]

    def test_missing_duplicate_or_swapped_line_is_found(self, events, tmp_path):
        path = export(tmp_path, "--domain", "sl.example.com")
        lines = path.read_text().splitlines(keepends=True)
        for spoilt, words in (
            (lines[:2] + lines[3:], "number 3 is missing"),
            (lines[:3] + lines[2:], "number 3 (event"),
            ([lines[1], lines[0], *lines[2:]], "number 1 (event"),
            ([*lines[:2], lines[3], lines[2], *lines[4:]], "number 3 is missing"),
        ):
            path.write_text("".join(spoilt))
            assert words in verify("--file", str(path)).faults[0]

    def test_truncated_export_is_found_by_expected_heads_only(self, events, tmp_path):
        noted = tmp_path / "noted"
        noted.write_text(verify("--domain", "sl.example.com").out)
        path = export(tmp_path, "--domain", "sl.example.com")
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
        assert verify("--file", str(path)).faults == []
        assert "ends with number 5" in verify("--file", str(path), "--expect", str(noted)).faults[0]

    NESTED = pytest.param("[" * 100_000, id="nested")

    @pytest.mark.parametrize("line", ["", "{", "[]", "null", '{"id": 1}', '"x"', "\x00", "\udcff", NESTED])
    def test_malformed_line_is_refused_with_its_number(self, events, tmp_path, line):
        path = export(tmp_path)
        path.write_bytes(path.read_bytes() + line.encode("utf-8", "surrogateescape") + b"\n")
        assert "line 11 is not" in verify("--file", str(path)).faults[0]

    def test_export_to_a_missing_folder_is_refused(self, events, tmp_path):
        with pytest.raises(CommandError, match="No such file"):
            call_command("export_audit", str(tmp_path / "none" / "audit.jsonl"))

    def test_export_follows_no_link_and_is_private(self, events, tmp_path):
        for name in ("audit.jsonl", "audit.jsonl.part"):
            (tmp_path / name).symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere").write_text("as it was")
        path = export(tmp_path)
        assert (tmp_path / "elsewhere").read_text() == "as it was"
        assert not path.is_symlink() and path.stat().st_mode & 0o777 == 0o600

    def test_failed_export_leaves_no_file(self, events, tmp_path, monkeypatch):
        def full(descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(CommandError, match="No space left"):
            export(tmp_path)
        assert list(tmp_path.iterdir()) == []
