"""Explain an error: what a line from a site's log means for one credential, and what to do."""
