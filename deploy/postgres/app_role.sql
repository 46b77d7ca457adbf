-- The dashboard's role, sendlayer: it reads and writes rows, owns nothing, and can only add events.
--   psql -v ON_ERROR_STOP=1 -f app_role.sql sendlayer
-- As a superuser. The tables belong to sendlayer_owner, who can't log in. May be run again, and has to be
-- after each migration (sendlayer-migrate does both): a table that it made has the usual rights until then.
BEGIN;
SELECT 'CREATE ROLE sendlayer_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sendlayer_owner') \gexec
SELECT 'CREATE ROLE sendlayer LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sendlayer') \gexec
ALTER ROLE sendlayer_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE sendlayer LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
-- Where it owned everything, as before this file; and the database itself.
REASSIGN OWNED BY sendlayer TO sendlayer_owner;
-- An owner could give itself back whatever it is denied here.
SELECT 'REVOKE sendlayer_owner FROM sendlayer' WHERE pg_has_role('sendlayer', 'sendlayer_owner', 'MEMBER') \gexec

SELECT format('REVOKE ALL ON DATABASE %I FROM sendlayer', current_database()) \gexec
SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO sendlayer', current_database()) \gexec
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM sendlayer;
GRANT USAGE ON SCHEMA public TO sendlayer;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM sendlayer;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO sendlayer;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO sendlayer;
ALTER DEFAULT PRIVILEGES FOR ROLE sendlayer_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO sendlayer;
ALTER DEFAULT PRIVILEGES FOR ROLE sendlayer_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO sendlayer;

-- Before the first migration there is none of these.
SELECT format('REVOKE %s ON %I FROM sendlayer', rights, name)
  FROM (VALUES ('audit_event', 'UPDATE, DELETE'), ('audit_chainkey', 'DELETE'),
               ('django_migrations', 'INSERT, UPDATE, DELETE')) AS denied (name, rights)
  WHERE to_regclass(name) IS NOT NULL \gexec
COMMIT;
