"""System checks of the settings of periodic jobs."""

from pathlib import Path

from django.conf import settings
from django.core.checks import Error, register

from operations.jobs import heartbeat_urls
from operations.jobs.schedule import JOBS
from web.startup import START


@register(START)
def check_heartbeat_urls(app_configs, **kwargs):
    hint = "Set it to an address that begins with https:// or http://, or leave it out."
    return [
        Error(f"HEARTBEAT_URL_{job.upper()} is not an address.", hint=hint, id="sendlayer.E090")
        for job in JOBS
        if (url := heartbeat_urls.url_of(job)) and not heartbeat_urls.is_http(url)
    ]


@register(START)
def check_backup_dir(app_configs, **kwargs):
    if not settings.BACKUP_DIR or Path(settings.BACKUP_DIR).is_absolute():
        return []
    hint = "Set it to the whole path of a folder, like /var/backups/sendlayer."
    return [Error("BACKUP_DIR is not the whole path of a folder.", hint=hint, id="sendlayer.E091")]
