"""The refused logins of a domain by cause."""

from django.db import connection

from credentials.models.figures import as_moment
from credentials.models.login_day import REFUSED_WITHIN
from credentials.outcome import Outcome

# Old passwords are listed one by one by `LoginDay.objects.still_tried`.
LEFT_OUT = (Outcome.ACCEPTED, Outcome.UNKNOWN_USERNAME, Outcome.OLD_PASSWORD)
# As SQL: the ORM needs more time to compile it than the database to answer.
_COLUMNS = ("outcome", "total", "users", "last", "username", "label", "ip")
_REFUSED = """
WITH refused AS (
    SELECT login.id, login.outcome, login.count, login.username, login.ip, login.last_at, credential.label
    FROM credentials_loginday AS login
    INNER JOIN credentials_credential AS credential
        ON credential.username = login.username AND credential.domain_id = login.domain_id
    WHERE login.domain_id = %s AND login.day >= %s AND login.last_at >= %s
        AND login.outcome NOT IN (%s, %s, %s)
), cause AS (
    SELECT outcome, CAST(SUM(count) AS bigint) AS total, COUNT(DISTINCT username) AS users,
        MAX(last_at) AS last_at
    FROM refused GROUP BY outcome
)
SELECT outcome, total, users, last_at, username, label, ip
FROM cause INNER JOIN refused USING (outcome, last_at)
ORDER BY last_at DESC, id DESC
"""


def refusals_of(domain, now) -> list[dict]:
    """Refusals of a domain's credentials within 24 hours by cause, the newest first.

    How many, of how many credentials, and the last one's time, label, username and address. Counts are kept
    by day, so they are since the day before.
    """
    since, adapt = now - REFUSED_WITHIN, connection.ops
    moments = adapt.adapt_datefield_value(since.date()), adapt.adapt_datetimefield_value(since)
    causes: dict[str, dict] = {}
    with connection.cursor() as cursor:
        cursor.execute(_REFUSED, [domain.pk, *moments, *(outcome.value for outcome in LEFT_OUT)])
        for row in cursor.fetchall():
            # Of several at the same moment, the one that was written last.
            cause = causes.setdefault(row[0], dict(zip(_COLUMNS, row, strict=True)))
            cause["last"] = as_moment(cause["last"])
    return list(causes.values())
