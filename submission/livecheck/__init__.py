"""Check this credential: a real login at the mail server that the dashboard's users are given."""
