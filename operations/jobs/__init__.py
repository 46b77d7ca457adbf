"""Periodic jobs: what is run how often (schedule.py), each run with its record (runs.py) and its report to a
heartbeat monitor (heartbeat_urls.py). `manage.py tick` runs them.
"""
