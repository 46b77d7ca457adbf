"""On PostgreSQL mail servers ask three functions, which read the views of 0003 with their owner's rights.

smtp_passdb_answer(username)           one row: "user", password, allow_nets
smtp_passdb_previous_answer(username)  the same, for passwords in rotation overlap
smtp_sender_answer(domain)             one row: the sasl_usernames that may send for it, with commas; or none

So a mail server's role can look up what it has been given a name of, and list nothing.

A hot standby that isn't connected to its primary would accept what was revoked meanwhile. So on a standby they
answer only while the heartbeat that it has replayed (credentials.models.Heartbeat) is younger than its lease.
Nor may it be of a moment to come, beyond a second: a clock that is behind would lengthen the lease. The first two
raise SQLSTATE 57P03 (cannot_connect_now), which Dovecot reports as a temporary failure. After an error Postfix
3.7 stays away from the server for a minute, so the third one gives two rows, more than the `expansion_limit = 1`
of deploy/postfix/pgsql: Postfix takes that for a temporary failure too, and asks again the next time.

They run with their owner's rights under the caller's search_path. Setting another one would make them cost a
quarter more; instead every name in them, operators included, has its schema. The check is a part of each: as a
function of its own it took four times as long.

Migrations that alter the tables need no heed of these functions: PostgreSQL reads their text when it is run.
"""

from importlib import import_module

from django.db import migrations

MAIL_VIEWS = import_module("credentials.migrations.0003_mail_views")

FUNCTIONS = "smtp_passdb_answer(text), smtp_passdb_previous_answer(text), smtp_sender_answer(text)"

# `{refusal}` is what a standby does that may not know what was revoked. In two steps: on a primary the first one
# costs nothing, together they would be a query.
LEASE = """
  IF pg_catalog.pg_is_in_recovery() THEN
    IF NOT EXISTS (
      SELECT FROM public.credentials_heartbeat h
        WHERE (pg_catalog.statement_timestamp() OPERATOR(pg_catalog.-) h.at)
            OPERATOR(pg_catalog.<=) pg_catalog.make_interval(secs => h.lease_seconds)
          AND (h.at OPERATOR(pg_catalog.-) pg_catalog.statement_timestamp())
            OPERATOR(pg_catalog.<=) pg_catalog.make_interval(secs => 1)
    ) THEN
      {refusal}
    END IF;
  END IF;"""
WHY = """USING ERRCODE = '57P03',
      MESSAGE = 'This standby does not answer, since it may not know what was revoked.',
      DETAIL = pg_catalog.concat('Newest heartbeat of the primary here: ',
        COALESCE((SELECT h.at::pg_catalog.text FROM public.credentials_heartbeat h), 'none'),
        '. The clock here: ', pg_catalog.statement_timestamp(), '.'),
      HINT = 'See that the primary runs, that this server replicates from it, that "manage.py heartbeat" runs, and that both clocks are right.'"""

# One row for any username: where the view has none, a verifier that nothing fits.
ANSWER = """
CREATE OR REPLACE FUNCTION public.{view}_answer(name text, OUT "user" text, OUT password text, OUT allow_nets text)
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
BEGIN
  {lease}
  SELECT v.sasl_username, v.verifier, v.allow_nets INTO "user", password, allow_nets
    FROM public.{view} v WHERE v.username OPERATOR(pg_catalog.=) name;
  IF NOT FOUND THEN
    "user" := pg_catalog.concat(name, '{ending}');
    password := pg_catalog.concat('{{SSHA512}}', pg_catalog.repeat('A', 96));
  END IF;
END $$
"""
SENDER_ANSWER = """
CREATE FUNCTION public.smtp_sender_answer(name text) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
BEGIN
  {lease}
  RETURN QUERY SELECT pg_catalog.string_agg(v.sasl_username, ',') FROM public.smtp_sender v
    WHERE v.domain OPERATOR(pg_catalog.=) name HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0;
END $$
"""
REFUSE = f"RAISE EXCEPTION {WHY};"
REFUSE_POSTFIX = f"RAISE WARNING {WHY}; RETURN NEXT 'stale'; RETURN NEXT 'stale'; RETURN;"
# A page of the one row holds some 200 versions of it, which each look-up goes through until PostgreSQL tidies them
# up, as it does when the page is fuller than this.
SHORT_CHAIN = "ALTER TABLE credentials_heartbeat SET (fillfactor = 10)"
# Who reads smtp_sender until now may ask the function as well, until roles.sql runs: mail goes on meanwhile.
READERS = """
SELECT a.grantee::regrole::text FROM pg_class c, aclexplode(c.relacl) a
  WHERE c.oid = 'public.smtp_sender'::regclass AND a.privilege_type = 'SELECT' AND a.grantee NOT IN (0, c.relowner)
"""


def create(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    lease = LEASE.format(refusal=REFUSE)
    statements = [
        ANSWER.format(view=view, ending=ending, lease=lease) for view, ending in MAIL_VIEWS.ANSWERS.items()
    ]
    statements.append(SENDER_ANSWER.format(lease=LEASE.format(refusal=REFUSE_POSTFIX)))
    statements += [f"REVOKE ALL ON FUNCTION {FUNCTIONS} FROM PUBLIC", SHORT_CHAIN]
    with schema_editor.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        cursor.execute(READERS)
        for (role,) in cursor.fetchall():
            cursor.execute(f"GRANT EXECUTE ON FUNCTION {FUNCTIONS} TO {role}")


def restore(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("ALTER TABLE credentials_heartbeat RESET (fillfactor)", params=None)
    schema_editor.execute("DROP FUNCTION public.smtp_sender_answer(text)", params=None)
    former = MAIL_VIEWS.ANSWER.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    for view, ending in MAIL_VIEWS.ANSWERS.items():
        schema_editor.execute(former.format(view=view, ending=ending), params=None)


class Migration(migrations.Migration):
    dependencies = [("credentials", "0016_heartbeat")]

    operations = [migrations.RunPython(create, restore, elidable=False)]
