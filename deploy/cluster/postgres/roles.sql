-- Roles of a cluster, besides those of deploy/postgres: the dashboard's gets a password, for other machines, and
-- standbys get a role that can copy the database, and nothing else.
--   DATABASE_PASSWORD=… REPLICATION_PASSWORD=… psql -v ON_ERROR_STOP=1 -f roles.sql sendlayer
-- As a superuser, on the primary. May be run again, and then sets the passwords again.
\getenv database_password DATABASE_PASSWORD
\getenv replication_password REPLICATION_PASSWORD
\if :{?database_password} \else
  \warn 'DATABASE_PASSWORD is not set'
  \quit
\endif
\if :{?replication_password} \else
  \warn 'REPLICATION_PASSWORD is not set'
  \quit
\endif

SELECT 'CREATE ROLE sendlayer_replication' WHERE NOT EXISTS
  (SELECT FROM pg_roles WHERE rolname = 'sendlayer_replication') \gexec
-- The statements are not written to the server's log with the passwords in them.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
ALTER ROLE sendlayer_replication
  LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS PASSWORD :'replication_password';
ALTER ROLE sendlayer PASSWORD :'database_password';
