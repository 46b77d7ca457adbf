"""The contract with mail servers: three views, and nothing else that they may read.

smtp_passdb           username, verifier, allow_nets, sasl_username    who may log in
smtp_passdb_previous  the same, for passwords in rotation overlap
smtp_sender           domain, username, sasl_username                  who may send for a domain

They list usable credentials only (credentials.models.Credential.outcome is the same rule),
so that a mail server refuses whatever is missing in them, from the moment of the commit.
`sasl_username` is the username and the number of its password: a server that goes by it
in its sessions refuses those that an earlier password opened. deploy/dovecot tells by the
`.previous` of the second view that it has been asked.

On PostgreSQL smtp_passdb_answer(username) and smtp_passdb_previous_answer(username) ask the
first two views as deploy/dovecot does, in a third of the time: a function keeps its plan, where
planning the join costs more than running it. They read with the caller's rights.

A migration that alters these tables has to drop the views first and make them again: SQLite
rebuilds a table by renaming, which a view on it prevents; PostgreSQL would lose the grants
of deploy/postgres/roles.sql, so it uses CREATE OR REPLACE VIEW where columns stay.
"""

from django.db import migrations

NOW = {
    "postgresql": "statement_timestamp()",
    # As Django stores times: text in UTC.
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now')",
}
USABLE = """
    FROM credentials_credential c JOIN domains_domain d ON d.id = c.domain_id
    WHERE c.suspended_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > {now})
      AND d.authorized_at IS NOT NULL AND d.suspended_at IS NULL
"""
OVERLAP = " AND c.previous_verifier <> '' AND c.previous_valid_until > {now}"
CURRENT_NAME = "c.username || '.' || CAST(c.password_number AS text) AS sasl_username"
# Of a session that the previous password opened: before its reset, and during the overlap.
EARLIER_NAME = "c.username || '.' || CAST(c.password_number - 1 AS text) AS sasl_username"
PREVIOUS_NAME = "c.username || '.' || CAST(c.password_number - 1 AS text) || '.previous' AS sasl_username"
NETWORKS = "NULLIF(c.allowed_networks, '') AS allow_nets"

VIEWS = {
    "smtp_passdb": f"SELECT c.username, c.verifier, {NETWORKS}, {CURRENT_NAME} {USABLE}",
    "smtp_passdb_previous": (
        f"SELECT c.username, c.previous_verifier AS verifier, {NETWORKS}, {PREVIOUS_NAME} {USABLE} {OVERLAP}"
    ),
    "smtp_sender": (
        f"SELECT d.name AS domain, c.username, {CURRENT_NAME} {USABLE} "
        f"UNION ALL SELECT d.name AS domain, c.username, {EARLIER_NAME} {USABLE} {OVERLAP} "
        f"UNION ALL SELECT d.name AS domain, c.username, {PREVIOUS_NAME} {USABLE} {OVERLAP}"
    ),
}

# One row for any username: where the view has none, a verifier that nothing fits.
ANSWER = """
CREATE FUNCTION {view}_answer(name text, OUT "user" text, OUT password text, OUT allow_nets text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
  SELECT v.sasl_username, v.verifier, v.allow_nets INTO "user", password, allow_nets
    FROM {view} v WHERE v.username = name;
  IF NOT FOUND THEN
    "user" := name || '{ending}';
    password := '{{SSHA512}}' || repeat('A', 96);
  END IF;
END $$
"""
ANSWERS = {"smtp_passdb": ".0", "smtp_passdb_previous": ".previous"}


def create(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for name, query in VIEWS.items():
        schema_editor.execute(f"CREATE VIEW {name} AS {query.format(now=NOW[vendor])}", params=None)
    if vendor == "postgresql":
        for view, ending in ANSWERS.items():
            schema_editor.execute(ANSWER.format(view=view, ending=ending), params=None)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for view in ANSWERS:
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {view}_answer(text)", params=None)
    for name in VIEWS:
        schema_editor.execute(f"DROP VIEW IF EXISTS {name}", params=None)


class Migration(migrations.Migration):
    dependencies = [("credentials", "0002_usage_and_networks")]

    operations = [migrations.RunPython(create, drop, elidable=False)]
