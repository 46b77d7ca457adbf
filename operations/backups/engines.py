"""The modules that dump and load each kind of database."""

from django.db import connection

from operations.backups import postgres, sqlite


def engine():
    """The module for the database that is configured."""
    return postgres if connection.vendor == "postgresql" else sqlite
