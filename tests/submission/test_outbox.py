"""The Maildir that stores messages without SMTP_RELAY_URL, and the fields added to a message."""

import asyncio
import errno
import os
import re
import stat
from email import message_from_bytes, policy

import pytest

from submission.delivery import maildir, message
from submission.delivery.maildir import Maildir
from submission.delivery.message import Message
from submission.delivery.next_hop import Deferred, Reason
from submission.listener import replies
from submission.listener.connection import ClientConnection
from submission.listener.data_reader import IncomingMessage
from submission.listener.limits import Memory
from tests.submission.clients import MESSAGE, RECIPIENT, SENDER, submit

pytestmark = pytest.mark.one_database

database = pytest.mark.django_db(transaction=True)


@database
def test_body_is_stored_byte_for_byte(smtp, outbox):
    body = "Grüße\r\n\r\n  \t\r\n...\r\n.\r\n.x\r\nFrom here\r\n".encode() + bytes(range(128, 256)) + b"\r\n"
    header = f"From: {SENDER}\r\nSubject: a\r\n\tb\r\n\r\n".encode()
    assert submit(smtp, header + body.replace(b"\r\n.", b"\r\n.."))[0] == 250
    [kept] = outbox()
    assert kept.endswith(b"\r\nFrom: " + header[6:] + body)


@database
def test_envelope_and_received_come_first(smtp, outbox, credential):
    assert submit(smtp, recipients=["a@example.org", "b@example.org", "a@example.org"])[0] == 250
    kept = message_from_bytes(outbox()[0], policy=policy.SMTP)
    assert kept.keys() == ["Return-Path", "Envelope-To", "Received", "Date", "Message-ID", "From", "Subject"]
    assert kept["Return-Path"] == f"<{SENDER}>"
    assert " ".join(kept["Envelope-To"].split()) == "a@example.org, b@example.org"
    received = (
        r"from client\.example \(\[127\.0\.0\.1\]\) by smtp\.sendlayer\.net with ESMTPSA id [0-9A-F]{16}; .+"
    )
    assert re.fullmatch(received, " ".join(kept["Received"].split()))
    assert kept["Message-ID"].endswith("@sl.example.com>")
    assert credential.username.encode() not in outbox()[0]


@database
def test_date_and_message_id_of_the_client_are_kept(smtp, outbox):
    own = b"date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMESSAGE-ID: <mine@sl.example.com>\r\n"
    assert submit(smtp, own + MESSAGE)[0] == 250
    assert outbox()[0].lower().count(b"\r\ndate:") == outbox()[0].lower().count(b"\r\nmessage-id:") == 1


@database
def test_bcc_and_return_path_of_the_client_are_removed(smtp, outbox):
    own = (
        b"Bcc: secret@example.org,\r\n more@example.org\r\nReturn-Path: <x@evil.com>\r\nResent-Bcc: x@y.org\r\n"
    )
    assert submit(smtp, own + MESSAGE)[0] == 250
    assert b"bcc:" not in outbox()[0].lower()
    assert b"more@" not in outbox()[0]
    assert outbox()[0].count(b"Return-Path") == 1


@database
def test_message_without_body_is_accepted(smtp, outbox):
    assert submit(smtp, f"From: {SENDER}\r\n".encode())[0] == 250
    assert outbox()[0].endswith(f"From: {SENDER}\r\n\r\n".encode())


@database
def test_outbox_files_and_folders_are_private(listener, smtp):
    assert submit(smtp)[0] == 250
    outbox = listener.var_dir / "outbox"
    for folder in (outbox, outbox / "tmp", outbox / "new", outbox / "cur"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (outbox / "new").iterdir()} == {0o600}
    assert list((outbox / "tmp").iterdir()) == []


@database
@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\n.\r"])
def test_bare_newline_smuggles_no_second_message(smtp, outbox, end):
    smuggled = b"MAIL FROM:<x@evil.com>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nFrom: x@evil.com\r\n\r\nx\r\n"
    assert submit(smtp, MESSAGE.removesuffix(b"\r\n") + end + smuggled)[0] == 250
    assert smtp.noop()[0] == 250
    [message] = outbox()
    assert message.endswith(b"MAIL FROM:<x@evil.com>\r\n" + smuggled.partition(b"\n")[2])
    assert message.count(b"\n") == message.count(b"\r\n") == message.count(b"\r")
    assert b"\r\n.\r\n" not in message


class Endless(asyncio.Transport):
    """A transport that ignores pauses."""

    def pause_reading(self):
        pass

    resume_reading = pause_reading


async def nothing(_connection):
    pass


async def read_in_pieces(*pieces, limit=10**6, memory=None):
    """Return the message read from pieces, and the bytes left for the next command."""
    connection = ClientConnection(nothing)
    connection.connection_made(Endless())
    incoming = IncomingMessage(limit, memory or Memory())
    reading = asyncio.create_task(incoming.read(connection, lambda: None))
    for piece in pieces:
        connection.data_received(piece)
        await asyncio.sleep(0)
    await reading
    return incoming, bytes(connection.received)


def test_message_is_the_same_however_it_is_split():
    sent = b"..one\r\n.\n.\r.\r\r\n..\r\n\r\n...\r\nx.\r\n\r.\r\n\n.\r\nend\r\n.\r\nNOOP\r\n.\r\n"
    for cut in range(len(sent)):
        incoming, left = asyncio.run(read_in_pieces(sent[:cut], sent[cut:]))
        assert incoming.content == b".one\r\n\r\n .\r\n.\r\n\r\n..\r\nx.\r\n .\r\n\r\n\r\nend\r\n"
        assert left == b"NOOP\r\n.\r\n"


def test_empty_message_ends_at_once():
    incoming, left = asyncio.run(read_in_pieces(b".\r\nQUIT\r\n"))
    assert (bytes(incoming.content), left) == (b"", b"QUIT\r\n")


@pytest.mark.parametrize(("size", "refusal"), [(0, None), (1, replies.TOO_BIG), (10**6, replies.TOO_BIG)])
def test_size_limit_ignores_dot_stuffing(size, refusal):
    sent = b"..\r\n" * 100_000 + b"x" * size + b"\r\n.\r\n"
    incoming, left = asyncio.run(read_in_pieces(sent, b"NOOP\r\n", limit=300_002))
    assert incoming.refusal == refusal
    assert left == b"NOOP\r\n"


def test_memory_of_all_sessions_is_bounded():
    def read():
        return asyncio.run(read_in_pieces(b"xx\r\n" * 24_999 + b".\r\n", memory=memory))[0]

    memory = Memory(100_000)
    first = read()
    assert read().refusal == replies.NO_SPACE
    first.release()
    assert read().refusal is None


@pytest.mark.parametrize(
    ("number", "reason"), [(errno.ENOSPC, Reason.NO_SPACE), (errno.EACCES, Reason.UNAVAILABLE)]
)
def test_disk_error_is_a_temporary_failure(tmp_path, monkeypatch, number, reason):
    def fail(_descriptor):
        raise OSError(number, os.strerror(number))

    outbox = Maildir(tmp_path / "outbox")
    monkeypatch.setattr(maildir.os, "fsync", fail)
    with pytest.raises(Deferred) as caught:
        asyncio.run(outbox.deliver(Message("1", SENDER, (RECIPIENT,), MESSAGE, False)))
    assert caught.value.reason is reason
    assert list((tmp_path / "outbox" / "tmp").iterdir()) == list((tmp_path / "outbox" / "new").iterdir()) == []


def test_file_and_folder_are_synced_before_acceptance(tmp_path, monkeypatch):
    steps = []
    outbox = Maildir(tmp_path / "outbox")
    monkeypatch.setattr(
        maildir.os, "fsync", lambda descriptor: steps.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    )
    asyncio.run(outbox.deliver(Message("ID", SENDER, (RECIPIENT,), MESSAGE, False)))
    assert [step.split("/outbox/")[1].split("/")[0] for step in steps] == ["tmp", "new"]


def test_ipv6_client_is_an_address_literal_in_received():
    assert "([IPv6:2001:db8::1])" in message._received(
        message.Origin("a", "2001:db8::1", "b"), "1", "now", smtp_utf8=False
    )
