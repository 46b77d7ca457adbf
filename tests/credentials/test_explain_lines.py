"""What lines from the logs of sites are taken for: files hold them, each after what it tells.

lines.txt has those of the mail servers and the first tools, lines_of_programs.txt those of programs and
libraries (a comment names which, and where the lines are from), lines_of_others.txt those that say nothing
about the login, the sender or the connection of the site. transcripts.txt holds whole sessions as tools print
them; test_transcripts.py of submission asks those that are installed.
"""

import random
import re
import string
from pathlib import Path

import pytest

from credentials.diagnosis.explain import WORDS
from credentials.diagnosis.findings import Finding
from credentials.diagnosis.parser import PASSWORD_MASK, read, visible
from credentials.diagnosis.patterns import RULES
from credentials.passwords import PATTERN, generate
from credentials.snippets import PLACEHOLDER
from submission.listener import replies
from tests.submission.clients import encoded

pytestmark = pytest.mark.one_database


def table(name) -> list[list[str]]:
    """The lines of a file as [finding, line]."""
    lines = Path(__file__).with_name(name).read_text().splitlines()
    known = [line.replace("\\n", "\n").replace("\\t", "\t") for line in lines if not line.startswith("# ")]
    return [line.split(maxsplit=1) for line in known]


KNOWN = table("lines.txt") + table("lines_of_programs.txt")
OTHERS = table("lines_of_others.txt")
# What may be said of a line that is not about the site and its mail server.
NOT_THE_SITE = {
    Finding.UNKNOWN, Finding.UNEXPLAINED_REFUSAL, Finding.NEXT_SERVER, Finding.TEMPORARY, Finding.GREYLISTED,
    Finding.SPAM, Finding.UNAUTHENTICATED_MAIL, Finding.RECIPIENT_FULL, Finding.RECIPIENT_UNKNOWN,
    Finding.RECIPIENT_SYNTAX,
}  # fmt: skip
# (finding, which one, text): each begins with a line like "#### SUCCESS swaks of Debian 13, ok, trusted".
SESSIONS = re.findall(
    r"^#### (\w+) (.+)\n((?:(?!####).*\n)+)",
    Path(__file__).with_name("transcripts.txt").read_text(),
    re.MULTILINE,
)
WENT_WELL = {name: said for finding, name, said in SESSIONS if finding == "SUCCESS"}
NO_ERROR = (Finding.SUCCESS, Finding.UNKNOWN)
EHLO = "".join(
    f"<-  250-{each}\n" for each in ("SIZE 26214400", "8BITMIME", "SMTPUTF8", "STARTTLS", "AUTH PLAIN LOGIN")
)
# Every refusal of our listener: the constants of the module, and the values of its tables.
REPLIES = [value for value in vars(replies).values() if isinstance(value, str)] + [
    text for table in vars(replies).values() if isinstance(table, dict) for text in table.values()
]
REFUSALS = sorted({text for text in REPLIES if isinstance(text, str) and re.match(r"[45]\d\d ", text)})


def variants(line) -> list[str]:
    """A line as it is, in capitals, wrapped, and after what syslog writes before it."""
    return [line, line.upper(), line.replace(" ", "\n  "), f"Nov 25 10:00:01 web1 app[535]: {line}"]


@pytest.mark.parametrize(("finding", "line"), KNOWN)
def test_parser_finds_what_a_line_reports(finding, line):
    for text in (*variants(line), EHLO + line):
        assert read(text).finding is Finding[finding], text


@pytest.mark.parametrize(("finding", "line"), OTHERS)
def test_parser_does_not_blame_the_site_for_a_line_of_others(finding, line):
    for text in variants(line):
        assert read(text).finding is Finding[finding], text
    assert Finding[finding] in NOT_THE_SITE


@pytest.mark.parametrize(("finding", "name", "said"), SESSIONS, ids=[name for _, name, _ in SESSIONS])
def test_parser_finds_the_failure_in_a_whole_session(finding, name, said):
    assert len(said) <= 2001
    assert read(said).finding is Finding[finding]


@pytest.mark.parametrize("name", WENT_WELL)
def test_the_end_of_a_session_that_went_well_is_no_error_wherever_it_begins(name):
    lines = WENT_WELL[name].splitlines()
    told = {read("\n".join(lines[number:])).finding for number in range(len(lines))}
    assert told <= set(NO_ERROR)


@pytest.mark.parametrize("name", [name for name, said in WENT_WELL.items() if "Subject: " in said])
def test_the_message_that_was_sent_is_not_taken_for_an_answer(name):
    words = "Subject: 535 5.7.8 spam, DKIM, timed out, connection refused, hostname mismatch "
    assert read(WENT_WELL[name].replace("Subject: ", words)).finding is Finding.SUCCESS


@pytest.mark.parametrize("tried", [
    "* connect to ::1 port 587 from ::1 port 39990 failed: Connection refused\n",
    "* Immediate connect fail for 2001:db8::1: Connection refused\n",
])  # fmt: skip
def test_parser_ignores_an_attempt_that_a_later_one_made_up_for(tried):
    came_through = "* Connected to localhost (127.0.0.1) port 587\n< 535 5.7.8 Error: authentication failed"
    assert read(tried).finding is Finding.CONNECTION_REFUSED
    assert read(tried + came_through).finding is Finding.LOGIN_REFUSED


@pytest.mark.parametrize("text", REFUSALS)
def test_every_refusal_of_our_listener_is_known(text):
    assert read(text).finding not in (*NO_ERROR, Finding.UNEXPLAINED_REFUSAL)
    assert read(text.partition(" ")[2]).finding is not Finding.SUCCESS


def test_every_finding_has_words_and_a_line():
    # From what else a line tells, see test_explain.py.
    missing = {Finding.WRONG_HOST, Finding.WRONG_PORT, Finding.PLAIN_TO_TLS}
    assert set(Finding) - missing == {Finding[name] for name, _line in KNOWN}
    assert set(Finding) - {Finding.LOGIN_REFUSED, Finding.LOGIN_FAILED} <= set(WORDS)
    assert {finding for finding, *_ in RULES} <= set(Finding)


@pytest.mark.parametrize(("line", "domain"), [
    ("553 5.7.1 <a@x.example>: Sender address rejected: not owned by user X", "x.example"),
    ("MAIL FROM:<a@X.example> SIZE=9: 553", "x.example"),
    ("4F2A1: from=<a@x.example>, to=<b@y.example>", "x.example"),
    ("The following From address failed: a@x.example : MAIL FROM", "x.example"),
    ("msmtp: envelope from address a@x.example not accepted by the server", "x.example"),
    ("(553, b'5.7.1 Sender address not allowed for this SMTP user', 'a@x.example')", "x.example"),
    ("From: a@x.example", "x.example"),
    ("Failed to send emails [b@y.example]: failed to issue MAIL command: 553 5.7.1 Sender address not", None),
    ("Failed to send notification to email addresses: <b@y.example>: 553 5.7.1 Sender address not", None),
    ("RCPT TO:<b@y.example>", None),
    ("mail from site to b@y.example was refused", None),
])  # fmt: skip
def test_only_a_senders_domain_is_found(line, domain):
    assert read(line).sender_domains == ((domain,) if domain else ())


def test_usernames_domains_and_ports_are_found():
    reading = read(
        "3F863120B07675B422C1AF7A7233058B from: <Info@Shop.example> at smtp.x.example:465, port 25 10:25:01"
    )
    assert reading.usernames == ("3F863120B07675B422C1AF7A7233058B",)
    assert reading.sender_domains == ("shop.example",)
    assert reading.ports == (465, 25)


@pytest.mark.parametrize("wrap", [
    "535 {}", "pass={}&x", "'{}'", "{}{}", "a\n{}", "{}é", "login('3F86', '{}')", "\x00{}\x01",
])  # fmt: skip
def test_visible_masks_a_password(wrap):
    password = generate()
    shown = visible(wrap.format(password, password))
    assert PASSWORD_MASK in shown and password[3:12] not in shown and not PATTERN.search(shown)


def test_visible_masks_a_broken_or_cut_password():
    password = generate()
    for text in (f"{password[:20]}\n{password[20:]}", f"{password[:20]}\r\n{password[20:]} end", password[:15]):
        shown = visible(text)
        assert password[4:12] not in shown and password[25:] not in shown


def test_visible_masks_a_password_in_base64():
    password, username = generate(), "3F863120B07675B422C1AF7A7233058B"
    for secret in (encoded("", username, password), encoded(password), encoded("x", username, password)):
        for text in (f"-> AUTH PLAIN {secret}", f"{secret[:60]}\n{secret[60:]}"):
            assert secret[:40] not in visible(text) and secret[-12:].rstrip("=") not in visible(text)
    assert (
        visible("message-id QUJDREVGR0hJSktMTU5PUFFSU1RVVg==") == "message-id QUJDREVGR0hJSktMTU5PUFFSU1RVVg=="
    )


def test_controls_are_shown_and_directions_are_not_obeyed():
    assert visible("a\x00b\x1b[31mc\x7f\r\nd\te\u202ef\u200b\x85\ud800") == "a␀b␛[31mc␡\nd\te�f���"


def test_the_placeholder_of_an_example_is_recognised():
    assert read(f"login with {PLACEHOLDER}").finding is Finding.NO_PASSWORD


def test_parser_reads_any_text_quickly():
    chance = random.Random(5)  # noqa: S311
    pieces = (
        [line for _, line in KNOWN] + list(string.printable) + ["\x00", "é", "<", "{", "}", "%s", "{0}", "250-"]
    )
    for _ in range(300):
        text = "".join(chance.choices(pieces, k=chance.randrange(60)))[:2000]
        assert isinstance(read(visible(text)).finding, Finding)
    for each in (" ", "a", "5", "-", "from=<>", "250-", "A" * 24 + "\n", "@.", "535", "sl_", "x@", "not "):
        read(visible(each * (2000 // len(each))))
