"""The list of SMTP users: its search, filters, orders, and how many there are in each state."""

from datetime import datetime

from django.db import connection
from django.db.models import BooleanField, Exists, F, OuterRef, Q, QuerySet, TextChoices, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower, NullIf
from django.utils import timezone

from credentials.models.login_day import LoginDay
from credentials.models.state import State, condition
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
            sql, parameters = condition(State(state), _table(self.model), now)
            self = self.filter(RawSQL(sql, parameters, output_field=BooleanField()))  # noqa: S611
        if search:
            self = self.filter(_matches(parse(search), now))
        return self.order_by(*_ORDERS[sort])

    def for_page(self, search="", state="", sort=""):
        """The same as named tuples of ROW_FIELDS: no secret, no model."""
        return self.listed(search, state, sort).with_creator().values_list(*ROW_FIELDS, named=True)

    def with_creator(self):
        """Rows with `creator`, the e-mail of the person who added them."""
        return self.annotate(creator=F("created_by__email"))


def counts_of(model, domain, now: datetime) -> dict[str, int]:
    """How many credentials of a domain are in each State; how many there are, as ""."""
    table = _table(model)
    columns, parameters = ["COUNT(*)"], []
    for state in State:
        sql, values = condition(state, table, now)
        columns.append(f"COUNT(CASE WHEN {sql} THEN 1 END)")
        parameters += values
    # Names of the model's columns, no values.
    statement = f"SELECT {', '.join(columns)} FROM {table} WHERE domain_id = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [*parameters, domain.pk])
        return dict(zip(("", *State.values), cursor.fetchone(), strict=True))


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
