"""What a mail server's machine reports to the dashboard: that it is alive, and what its replica shows."""
