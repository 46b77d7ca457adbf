"""What is in the database, to tell that nothing changed: by plain SQL, since walks ask at each request."""

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection

from credentials.models import Node

# What reading a page may add to, what only migrations change, and where a listener reports itself meanwhile.
NOT_KEPT = {Session, Permission, ContentType, Node}


def kept() -> dict[str, list[tuple]]:
    """Table → all its rows, of the models that people change."""
    models = [model for model in apps.get_models(include_auto_created=True) if model not in NOT_KEPT]
    with connection.cursor() as cursor:
        return {model._meta.db_table: _rows(cursor, model) for model in models}


def _rows(cursor, model):
    table, key = map(connection.ops.quote_name, (model._meta.db_table, model._meta.pk.column))
    cursor.execute(f"SELECT * FROM {table} ORDER BY {key}")  # noqa: S608
    return cursor.fetchall()
