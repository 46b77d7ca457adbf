"""Credentials across the domains of a user: those that are unused, and what a search finds."""

from django.db.models import BooleanField, Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL

from credentials.models.base import is_username
from credentials.models.credential import Credential
from credentials.models.login_day import LoginDay
from credentials.models.state import State, condition
from domains.models import Membership
from web.search.query import parse

MIN_PART = 4  # characters of a username: fewer are rather a word
ROW_FIELDS = (
    "username",
    "label",
    "domain__name",
    "domain__display_name",
    "suspended_at",
    "last_used_at",
    "last_used_ip",
    "last_refused_at",
    "last_refused_ip",
)


def of_user(user):
    """The credentials of all domains that a user is a member of."""
    return Credential.objects.filter(domain__in=Membership.objects.filter(user=user).values("domain"))


def unused(user, now):
    """Those of a user's domains that are unused, the longest first, as named tuples of ROW_FIELDS."""
    sql, parameters = condition(State.UNUSED, "credentials_credential", now)
    rows = of_user(user).filter(RawSQL(sql, parameters, output_field=BooleanField()))  # noqa: S611
    rows = rows.order_by(F("last_used_at").asc(nulls_first=True), "created_at", "pk")
    return rows.values_list(*ROW_FIELDS, named=True)


def found(user, text, now):
    """Those of a user's domains that a search finds, by domain, as named tuples of ROW_FIELDS."""
    wanted = parse(text)
    if is_username(wanted.start):
        matching = Q(username=wanted.start)
    else:
        matching = Q(label__icontains=text)
        if len(wanted.start) >= MIN_PART:
            # A range, which the index of both databases can find.
            matching |= Q(
                username__gte=wanted.start, username__lt=f"{wanted.start}G", username__endswith=wanted.end
            )
        if wanted.ip:
            logins = LoginDay.objects.filter(username=OuterRef("username"), ip=wanted.ip).recent(now)
            matching |= Q(last_used_ip=wanted.ip) | Q(last_refused_ip=wanted.ip) | Exists(logins)
    rows = of_user(user).filter(matching).order_by("domain__name", "created_at", "pk")
    return rows.values_list(*ROW_FIELDS, named=True)
