from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from audit import chain, export, receipts
from audit.models import Event
from audit.verification import Check, noted_heads
from vault import cipher
from web.logs import one_line

MAX_FAULTS = 1000  # that are named; the rest is counted
ROLE_MAY_CHANGE = "SELECT current_user, has_table_privilege('audit_event', 'UPDATE, DELETE, TRUNCATE')"


class Command(BaseCommand):
    help = (
        "Check the chain of events of every domain, and print the end of each: domain, number and digest of "
        "its last event, name. When a chain is broken, name its first broken event and exit with 1. Keep the "
        "output on another machine: given to --expect, it shows when a chain lost its end."
    )

    def add_arguments(self, parser):
        parser.add_argument("--domain", default="", metavar="NAME", help="only domains of this name")
        parser.add_argument(
            "--file", help="check the events of this export instead of the database's; - for standard input"
        )
        parser.add_argument(
            "--expect",
            metavar="FILE",
            help="earlier output of this command, which must still hold; - for standard input",
        )
        parser.add_argument(
            "--receipt", metavar="FILE", help="check one receipt of a revocation; - for standard input"
        )

    def handle(self, *, domain, file, expect, receipt, **options):
        key = self._key()
        if receipt:
            return self._check_receipt(receipt)
        check = Check(key, self._noted(expect, domain) if expect else {})
        for link in self._of_file(file, domain) if file else export.links(domain):
            check.add(link)
        faults = [*check.faults(), *([] if file else self._unchained())]
        self.stdout.writelines(f"{line}\n" for line in check.heads())
        for line in (*faults[:MAX_FAULTS], *check.notes(), *self._notes()):
            self.stderr.write(line)
        if faults:
            raise CommandError(f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'}.")
        self.stdout.write(f"{check.events} {'event' if check.events == 1 else 'events'}: no chain is broken.")

    def _key(self):
        try:
            key = chain.key()
        except (cipher.CannotOpen, cipher.KeyringError) as error:
            raise CommandError(f"The key of the chains can't be used: {error}.") from None
        if key is None and Event.objects.exists():
            raise CommandError("The key of the chains is gone: without it no event can be checked.")
        return key or b""

    def _check_receipt(self, path):
        with _open(path) as lines:
            text = lines.read(receipts.MAX_SIZE + 1)
        try:
            receipt = receipts.read(text)
        except export.Malformed as error:
            raise CommandError(f"{path}: {error}.") from None
        is_genuine, is_in_chain = receipts.check(receipt)
        if not is_genuine:
            raise CommandError(f"{path}: the signature is wrong. It was changed, or made with another key.")
        event = receipt["event"]
        what = f"{event['tag']} {event['credential']} of {event['domain_name']}, number {event['number']}"
        if not is_in_chain:
            raise CommandError(f"{path} is genuine, but this database has no such event: {one_line(what)}.")
        self.stdout.write(f"Genuine, and in the chain: {one_line(what)}, made at {receipt['made_at']}.")

    def _noted(self, path, domain):
        with _open(path) as lines:
            noted = noted_heads(lines)
        if not noted:
            raise CommandError(f"{path} holds no output of this command.")
        return {key: head for key, head in noted.items() if not domain or head.name == domain}

    def _of_file(self, path, domain):
        try:
            with _open(path) as lines:
                for link in export.read(lines):
                    if not domain or link["domain_name"] == domain:
                        yield link
        except export.Malformed as error:
            raise CommandError(f"{path}: {error}.") from None

    def _unchained(self):
        """Events without a number, which `audit.record` never writes."""
        unchained = Event.objects.filter(number=None).order_by("pk").values_list("pk", flat=True)
        if number := unchained.count():
            events = "event" if number == 1 else "events"
            yield f"In no chain: {number} {events}, the first is event {unchained[0]}"

    def _notes(self):
        if connection.vendor != "postgresql":
            return
        with connection.cursor() as cursor:
            cursor.execute(ROLE_MAY_CHANGE)
            role, may_change = cursor.fetchone()
        if may_change:
            yield f"Note: the role {role} may change and delete events (deploy/README.md, PostgreSQL)."


def _open(path):
    is_stdin = path == "-"
    try:
        return open(0 if is_stdin else path, encoding="utf-8", errors="replace", closefd=not is_stdin)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from None
