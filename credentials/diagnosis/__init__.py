"""Explain an error: what a line from a site's log means for a credential, and what to do."""
