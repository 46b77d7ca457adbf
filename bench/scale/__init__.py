"""`make bench-scale`: pages and the support admin with a thousand and with a million SMTP users."""
