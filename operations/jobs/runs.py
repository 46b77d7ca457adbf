"""One run of a job: claimed, recorded, reported."""

import io
import logging
import os
import time
from datetime import timedelta
from typing import TextIO

from django.conf import settings
from django.core.management import CommandError
from django.db import DatabaseError
from django.utils import timezone

from operations.backups import first_line
from operations.backups.nightly import Written
from operations.jobs import heartbeat_urls
from operations.jobs.schedule import Job
from operations.models import MAX_TEXT, JobRun
from vault import sealed_mode

NOW = timedelta(0)

log = logging.getLogger(__name__)


class _Tee(io.StringIO):
    """Passes on what is written, and keeps it."""

    def __init__(self, stdout):
        super().__init__()
        self._stdout = stdout

    def write(self, text):
        self._stdout.write(text)
        return super().write(text)


def run(job: Job, stdout: TextIO, *, pause: timedelta = NOW) -> str | None:
    """Run a job that began at least `pause` ago, and record it. Return why it failed, "" when it succeeded.

    None when another process runs it, or ran it in the meantime. Raises DatabaseError when it can't be claimed.
    """
    began, me = timezone.now(), f"{settings.NODE_NAME}, process {os.getpid()}"
    if not JobRun.objects.claim(job.name, at=began, by=me, bound=job.bound, pause=pause):
        return None
    mine = JobRun.objects.filter(job=job.name, started_at=began, held_by=me)
    output, start = _Tee(stdout), time.monotonic()
    written, failure, stop = _outcome(job, output)
    ended = timezone.now()
    found = {"finished_at": ended, "held_until": None, "failure": failure, "seconds": time.monotonic() - start}
    if not failure:
        result = str(written.path) if written else output.getvalue().strip().rpartition("\n")[2]
        found |= {"succeeded_at": ended, "result": _short(result), "size": written and written.size}
    try:
        mine.update(**found)
    except DatabaseError as error:
        log.error("The run of %s can't be recorded: %s", job.name, type(error).__name__)
    heartbeat_urls.report(job.name, is_failure=bool(failure))
    if stop:
        raise stop
    return failure


def _outcome(job, output) -> tuple[Written | None, str, BaseException | None]:
    """Do it; return the file that it wrote, why it failed, and an exception that ends the process."""
    try:
        if job.needs_keys and (problem := sealed_mode.check()):
            raise CommandError(f"Not done while the keys are wrong: {problem}.")
        return job.run(output), "", None
    except CommandError as error:
        return None, _short(str(error)), None
    except (SystemExit, KeyboardInterrupt) as stop:
        return None, "It was stopped.", stop
    except Exception as error:  # its text may quote anything
        log.exception("%s failed", job.name)
        return None, f"{type(error).__name__}: see the log.", None


def _short(text: str) -> str:
    return first_line(text)[:MAX_TEXT]
