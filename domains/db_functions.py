from django.db import models


class RandomUUID(models.Func):
    """A random UUID made by the database, different for each row."""

    arity = 0
    output_field = models.UUIDField()

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="lower(hex(randomblob(16)))", **context)

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="gen_random_uuid()", **context)
