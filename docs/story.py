"""The story that docs/screenshots.py shows: Olivia's account, made by the verbs that the product uses.

Each act happens at its own time. Import this once Django is set up.
"""

import secrets
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from accounts.models import User
from audit.actor import Actor
from credentials import digests
from credentials.outcome import Outcome
from credentials.usage.tally import Tally
from domains.dns.resolver import Absent, Found
from domains.members import actions as members
from domains.models import Domain
from domains.names import normalise
from domains.verification import check
from tests.factories import make_use, password_of

NOW = datetime.now(UTC)
AUTHORIZED_AT = datetime(2022, 4, 11, 9, 12, tzinfo=UTC)
HOME, OFFICE, SHOP = "203.0.113.7", "198.51.100.24", "203.0.113.61"
OLD_SERVER, GUESSER, SHOP_6 = "192.0.2.140", "192.0.2.88", "2001:db8:4::61"
DOMAIN, BOOKSHOP = "sl.example.com", "bücher.example"
# Logins of the store on the days of a week, Monday first.
WEEK = (212, 245, 198, 230, 301, 164, 121)
SATURDAY, TUESDAY = 5, 1


def at(now):
    """Pretend that it is another time until the block ends."""
    return patch("django.utils.timezone.now", return_value=now)


def ago(**time):
    return NOW - timedelta(**time)


class Story:
    def __init__(self):
        self.olivia = User.objects.create_superuser(
            "owner@example.com", secrets.token_hex(), name="Olivia Wood"
        )
        self.ben = User.objects.create_user("ben@example.com", secrets.token_hex(), name="Ben Ito")
        self.at_home = Actor(self.olivia.email, self.olivia, HOME)
        self.at_office = Actor(self.olivia.email, self.olivia, OFFICE)
        self.ben_at_office = Actor(self.ben.email, self.ben, OFFICE)
        self.support = Actor("sam@support.example", None, "203.0.113.250")
        with patch("credentials.models.manager.new_username", return_value="3F863120B07675B422C1AF7A7233058B"):
            self.domain = self._add_domain(DOMAIN, AUTHORIZED_AT)
        with at(ago(days=700)):
            self.domain.memberships.create(user=self.ben, role="manager")
        self.store = self.domain.credentials.get()
        with at(AUTHORIZED_AT + timedelta(minutes=6)):
            self.store.rename("WooCommerce store", by=self.at_home)
        make_use(self.store, HOME, at=ago(seconds=150))
        self._add_other_domains()

    def go_on(self):
        """Add what happened since then: more than the help page's picture shows."""
        letter = self._issue("Newsletter", self.at_office, days=640, minutes=314)
        printer = self._issue("Office printer", self.ben_at_office, days=300, minutes=127)
        self._issue("", self.ben_at_office, days=8, minutes=221)
        make_use(printer, SHOP, at=ago(days=41))
        with at(ago(days=40, minutes=582)):
            printer.suspend(by=self.support, reason="It sends spam since a break-in", as_support=True)
        self._use_the_store()
        self._reset_the_newsletter(letter)
        self._rotate_the_crm()
        self._let_one_expire()
        self._delete_some()
        with at(ago(hours=26, minutes=9)):
            self.store.reveal("credential.password_copied", by=self.at_home)
        with at(ago(hours=6, minutes=2)):
            letter.set_networks("198.51.100.0/24, 2001:db8:4::/48, 203.0.113.61", by=self.at_office)
        with at(ago(hours=5, minutes=17)):
            letter.reveal("credential.password_shown", by=self.ben_at_office)
        make_use(letter, SHOP, at=ago(hours=2, minutes=4), number=37, outcome=Outcome.WRONG_PASSWORD)
        make_use(letter, GUESSER, at=ago(hours=3, minutes=40), number=2, outcome=Outcome.NETWORK_NOT_ALLOWED)
        self._look_into_the_dns()
        with at(ago(days=2)):
            members.invite([self.domain], ["nina@example.net", "max@example.org"], "viewer", by=self.at_home)

    def forget_new_ones(self):
        """Undo the Add that was pressed for a picture."""
        for credential in self.domain.credentials.exclude(pk=self.store.pk):
            self.domain.events.filter(credential=credential.username).delete()
            credential.delete()

    def _issue(self, label, by, **time):
        with at(ago(**time)):
            return self.domain.credentials.issue(by=by, label=label)[0]

    def _use_the_store(self):
        """A month of a shop: from its server, sometimes by IPv6, with two nights of guesses."""
        for days in range(1, 30):
            day = ago(days=days)
            number = WEEK[day.weekday()] + days * 7 % 23
            make_use(self.store, HOME, at=day, number=number)
            if days % 3 == 0:
                make_use(self.store, SHOP_6, at=day, number=number // 8)
        wrong = {"outcome": Outcome.WRONG_PASSWORD}
        make_use(self.store, GUESSER, at=ago(days=19, hours=2), number=143, **wrong)
        make_use(self.store, GUESSER, at=ago(days=18, hours=5), number=61, **wrong)
        make_use(self.store, SHOP, at=ago(days=6), number=4, **wrong)
        make_use(self.store, HOME, at=ago(seconds=140), number=38)
        tally = Tally()
        for ip, host, sender, seen_at in (
            (HOME, "shop.sl.example.com", "orders", ago(minutes=6)),
            (SHOP_6, "localhost", "orders", ago(days=3)),
            (HOME, "shop.sl.example.com", "info", ago(minutes=3)),
        ):
            with at(seen_at):
                tally.add_message(self.store.username, ip, ehlo=host, mail_from=f"{sender}@{DOMAIN}")
        tally.write()

    def _reset_the_newsletter(self, letter):
        """It goes out on Tuesdays; since its reset, an old server tries the retired password."""
        for days in range(29):
            if ago(days=days).weekday() == TUESDAY:
                make_use(letter, OFFICE, at=ago(days=days, hours=1), number=260 + days * 5 % 31)
        make_use(letter, OFFICE, at=ago(hours=3))
        old = digests.digest(letter.username, password_of(letter))
        with at(ago(days=12, minutes=76)):
            letter.reset_password(by=self.at_office)
        for days in range(11):
            moment = ago(days=days, hours=4, minutes=12)
            make_use(letter, OLD_SERVER, at=moment, number=8, outcome=Outcome.WRONG_PASSWORD, digest=old)

    def _rotate_the_crm(self):
        crm = self._issue("CRM", self.ben_at_office, days=210, minutes=33)
        make_use(crm, OFFICE, at=ago(days=4), number=12)
        with at(ago(days=3, minutes=95)):
            crm.reset_password(by=self.ben_at_office, keep_old_for=timedelta(days=7))
        make_use(crm, OFFICE, at=ago(days=2, hours=5), number=3, is_previous=True)
        make_use(crm, OFFICE, at=ago(minutes=52), number=6)

    def _let_one_expire(self):
        tickets = self._issue("Trade fair tickets", self.at_home, days=55, minutes=61)
        with at(ago(days=55)):
            tickets.set_expiry(ago(days=-5).date(), by=self.at_home)
        for days in range(1, 12):
            make_use(tickets, SHOP, at=ago(days=days), number=9 + days % 4)
        make_use(tickets, SHOP, at=ago(hours=7))

    def _delete_some(self):
        """Delete two; one of them is still tried."""
        blog = self._issue("Old blog", self.at_home, days=500, minutes=12)
        trial = self._issue("", self.ben_at_office, days=34, minutes=44)
        with at(ago(hours=20, minutes=8)):
            trial.remove(by=self.ben_at_office)
        with at(ago(hours=4, minutes=31)):
            blog.remove(by=self.at_home)
        make_use(blog, "192.0.2.51", at=ago(minutes=48), number=5, outcome=Outcome.UNKNOWN_USERNAME)

    def _look_into_the_dns(self):
        """A check that finds most of the records."""
        token = self.domain.verification_token
        zone = {
            (f"_sendlayer.{DOMAIN}", "TXT"): [f"sendlayer-verification={token}"],
            (DOMAIN, "TXT"): ["v=spf1 include:_spf.google.com ~all"],
            ("_spf.google.com", "TXT"): ["v=spf1 ip4:192.0.2.0/25 ~all"],
            ("spf.sendlayer.net", "TXT"): ["v=spf1 ip4:192.0.2.128/25 -all"],
            (DOMAIN.partition(".")[2], "SOA"): ["ns"],
            (f"sl1._domainkey.{DOMAIN}", "CNAME"): ["sl1.dkim.sendlayer.net"],
        }
        check.check_now(self.domain, by=self.at_office, resolver=Zone(zone))

    def _add_other_domains(self):
        bookshop = self._add_domain(BOOKSHOP, ago(days=400)).credentials.get()
        with at(ago(days=399)):
            bookshop.rename("Bookshop", by=self.at_home)
        for days in range(30):
            day = ago(days=days, minutes=17)
            if day.weekday() <= SATURDAY:
                make_use(bookshop, SHOP, at=day, number=31 + days * 11 % 17)
        old = self._add_domain("old-brand.example", ago(days=900))
        type(old).objects.filter(pk=old.pk).update(suspended_at=ago(days=20))

    def _add_domain(self, name, now):
        with at(now):
            domain = Domain.objects.add(normalise(name), by=self.at_home)
            domain.authorize(by=self.at_home)
        return domain


class Zone:
    """Answers questions about the DNS from a table, (name, type) → values."""

    def __init__(self, values):
        self.values = values

    def ask(self, name, kind):
        values = self.values.get((name, kind))
        return Found(tuple(values)) if values else Absent()

    def each(self):
        return [self]

    def for_check(self):
        return self
