"""Failover: acts that were answered, and that the server which became the primary had not received yet.

Each web node notes the events of its acts on its own disk (events_log.py). `manage.py reconcile` compares them
with the new primary (lost_events.py), and revokes again what it lost (reconcile.py).
"""
