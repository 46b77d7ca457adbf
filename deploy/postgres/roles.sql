-- The mail servers' role: it may call the three lookup functions and nothing else.
--   SENDLAYER_MAIL_PASSWORD=… psql -v ON_ERROR_STOP=1 -f roles.sql sendlayer
-- As the database's owner or a superuser. It may be run again, and then sets the password again.
\getenv password SENDLAYER_MAIL_PASSWORD
\if :{?password} \else
  \warn 'SENDLAYER_MAIL_PASSWORD is not set'
  \quit
\endif

SELECT 'CREATE ROLE sendlayer_mail' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sendlayer_mail') \gexec
-- The statement is not written to the server's log with the password in it.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
ALTER ROLE sendlayer_mail
  LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS PASSWORD :'password';
ALTER ROLE sendlayer_mail SET default_transaction_read_only = on;
-- A temporary failure is better for a login than a long wait.
ALTER ROLE sendlayer_mail SET statement_timeout = '5s';
ALTER ROLE sendlayer_mail SET idle_in_transaction_session_timeout = '10s';
-- Each question is for one name, by an index, with a plan that is kept. For tables that are small yet the
-- planner would rather read all domains each time, and make a table of hashes for it.
ALTER ROLE sendlayer_mail SET enable_seqscan = off;
ALTER ROLE sendlayer_mail SET enable_hashjoin = off;
ALTER ROLE sendlayer_mail SET enable_mergejoin = off;
ALTER ROLE sendlayer_mail SET plan_cache_mode = force_generic_plan;
ALTER ROLE sendlayer_mail SET max_parallel_workers_per_gather = 0;
ALTER ROLE sendlayer_mail SET jit = off;

-- Everybody may make temporary tables by default.
SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO sendlayer_mail', current_database()) \gexec
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO sendlayer_mail;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM sendlayer_mail;
-- They read with their owner's rights.
REVOKE EXECUTE ON FUNCTION smtp_passdb_answer, smtp_passdb_previous_answer, smtp_sender_answer FROM PUBLIC;
GRANT EXECUTE ON FUNCTION smtp_passdb_answer, smtp_passdb_previous_answer, smtp_sender_answer TO sendlayer_mail;
