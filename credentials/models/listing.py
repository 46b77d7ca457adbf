"""The list of SMTP users: its search, filters and orders."""

from django.db import connection
from django.db.models import BooleanField, Exists, F, OuterRef, Q, QuerySet, TextChoices, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower, NullIf
from django.utils import timezone

from credentials.models.login_day import LoginDay
from credentials.models.state import State, condition, troubled
from web.search import Search, parse

ROW_FIELDS = (
    "username",
    "label",
    "suspended_at",
    "suspended_by_support",
    "expires_at",
    "previous_valid_until",
    "last_used_at",
    "last_used_ip",
    "last_refused_at",
    "last_refused_ip",
    "last_refused_cause",
    "created_at",
    "creator",
)


class Sort(TextChoices):
    """The orders of the list; without one, the oldest is first."""

    LAST_USED = "last-used", "Last used"
    NEWEST = "newest", "Newest"
    LABEL = "label", "Label"


_ORDERS = {
    "": ("created_at", "pk"),
    Sort.LAST_USED: (F("last_used_at").desc(nulls_last=True), "created_at", "pk"),
    Sort.NEWEST: ("-created_at", "-pk"),
    Sort.LABEL: (NullIf(Lower("label"), Value("")).asc(nulls_last=True), "created_at", "pk"),
}


class ListingQuerySet(QuerySet):
    def listed(self, search="", state="", sort=""):
        """Those that a search finds, in a State, in the order of the list or another Sort."""
        now = timezone.now()
        if state:
            self = self.that_are(*condition(State(state), _table(self.model), now))
        if search:
            self = self.filter(_matches(parse(search), now))
        return self.order_by(*_ORDERS[sort])

    def troubled(self, now):
        """Those that expire soon, then those that were not used within a week, both the first one first."""
        rows = self.that_are(*troubled(_table(self.model), now))
        return rows.order_by(F("expires_at").asc(nulls_last=True), "created_at", "pk")

    def that_are(self, sql, parameters):
        """Those that a condition of credentials/models/state.py is true for."""
        return self.filter(RawSQL(sql, parameters, output_field=BooleanField()))  # noqa: S611

    def for_page(self, search="", state="", sort=""):
        """The listed ones as named tuples of ROW_FIELDS: no secret, no model."""
        return self.listed(search, state, sort).with_creator().values_list(*ROW_FIELDS, named=True)

    def with_creator(self):
        """Rows with `creator`, the e-mail of the person who added them."""
        return self.annotate(creator=F("created_by__email"))


def _matches(search: Search, now) -> Q:
    found = Q(label__icontains=search.text)
    if search.start:
        found |= Q(username__startswith=search.start, username__endswith=search.end)
    if search.ip:
        logins = LoginDay.objects.filter(username=OuterRef("username"), ip=search.ip).recent(now)
        found |= Q(last_used_ip=search.ip) | Q(last_refused_ip=search.ip) | Exists(logins)
    return found


def _table(model) -> str:
    return connection.ops.quote_name(model._meta.db_table)
