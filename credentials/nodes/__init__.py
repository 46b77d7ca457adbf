"""The mail servers on their machines, and the proof of when each refused what was revoked."""
