-- A slot for each other host with a database, as SLOT in sendlayer-standby.conf names it. On standbys too, since
-- each may become the primary: a slot that nobody has used yet keeps nothing. May be run again.
--   psql -v ON_ERROR_STOP=1 -v names="primary mail1 mail2" -v own=mail1 -f slots.sql sendlayer
SELECT pg_create_physical_replication_slot(name)
  FROM regexp_split_to_table(:'names', ' +') AS name
  WHERE name <> replace(:'own', '-', '_') AND name NOT IN (SELECT slot_name FROM pg_replication_slots);
