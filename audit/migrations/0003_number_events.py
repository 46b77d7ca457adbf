"""Every event of before gets its number and digest, in the order in which they were written.

Those of domains that were deleted before name no domain any more: they are in the chain without one.
"""

from django.db import migrations

BATCH = 5000
ONE_BY_ONE = "UPDATE audit_event SET number = %s, digest = %s WHERE id = %s"
# A third of the time where a statement is a way to the server and back.
AT_ONCE = """
UPDATE audit_event SET number = link.number, digest = link.digest
FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS link (number, digest, id) WHERE audit_event.id = link.id
"""


def number(apps, schema_editor):
    from audit import chain

    key_rows = apps.get_model("audit", "ChainKey").objects
    rows = apps.get_model("audit", "Event").objects.filter(number=None).order_by("pk")
    if not rows.exists():
        return
    if not key_rows.exists():
        key_rows.create(pk=1, sealed=chain.new_key())
    key = chain.open_key(key_rows.get().sealed)
    heads, last = {}, 0
    with schema_editor.connection.cursor() as cursor:
        while batch := list(rows.filter(pk__gt=last).values("pk", *chain.COLUMNS)[:BATCH]):
            links = [_link(key, heads, columns) for columns in batch]
            if schema_editor.connection.vendor == "postgresql":
                cursor.execute(AT_ONCE, [list(column) for column in zip(*links, strict=True)])
            else:
                cursor.executemany(ONE_BY_ONE, links)
            last = batch[-1]["pk"]


def _link(key, heads, columns) -> tuple:
    from audit import chain

    number, previous = heads.get(columns["domain_id"], (0, ""))
    columns["number"] = number + 1
    digest = chain.digest(key, previous, chain.content(columns))
    heads[columns["domain_id"]] = (number + 1, digest)
    return number + 1, digest, columns["pk"]


def undo(apps, schema_editor):
    """Let no link lead nowhere: the version before has the database see to that."""
    events = apps.get_model("audit", "Event").objects
    events.update(number=None, digest="")
    for link, model in (("domain", ("domains", "Domain")), ("actor", ("accounts", "User"))):
        gone = events.exclude(**{link: None}).exclude(**{f"{link}__in": apps.get_model(*model).objects.all()})
        gone.update(**{link: None})


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_chain")]

    operations = [migrations.RunPython(number, undo)]
