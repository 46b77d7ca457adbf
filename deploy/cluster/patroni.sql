-- The role by which Patroni makes a former primary a standby again (pg_rewind): it may read the server's files.
--   REWIND_PASSWORD=… psql -v ON_ERROR_STOP=1 -f patroni.sql
-- As a superuser, on the primary. It may be run again, and then sets the password again.
\getenv password REWIND_PASSWORD
\if :{?password} \else
  \warn 'REWIND_PASSWORD is not set'
  \quit
\endif
SELECT 'CREATE ROLE sendlayer_rewind' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sendlayer_rewind') \gexec
-- The statement is not written to the server's log with the password in it.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
ALTER ROLE sendlayer_rewind LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text, boolean, boolean) TO sendlayer_rewind;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_file(text, boolean) TO sendlayer_rewind;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text) TO sendlayer_rewind;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) TO sendlayer_rewind;
