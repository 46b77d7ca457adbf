from django.core.management.commands import migrate
from django.db import connection, transaction


class Command(migrate.Command):
    help = "Run `migrate` in one transaction: every migration is applied, or none. For sendlayer-migrate."

    def handle(self, *args, **options):
        # Of SQLite, which can't do it within a transaction.
        with connection.constraint_checks_disabled(), transaction.atomic(durable=True):
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    # No migration can alter a table whose rows are yet to be checked.
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            super().handle(*args, **options)
            connection.check_constraints()
