import os

# SQLite has no roles; `make test` runs the tests on PostgreSQL as well.
collect_ignore = [] if os.environ.get("DATABASE_URL", "").startswith("postgres") else ["test_app_role.py"]
