import logging
import signal
import time
from itertools import count

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from operations.jobs import heartbeat_urls, runs
from operations.jobs.schedule import JOBS
from operations.management.commands.backup import stops_cleanly
from operations.models import JobRun
from web.startup import START

LOOK_SECONDS = 10

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Run a periodic job now and record it: letters, tidy, domains or backup. Without one, run all of them "
        "at their intervals until SIGTERM, which ends it after the job in hand (a backup is given up)."
    )
    _is_stopped = False
    requires_system_checks = [START]  # not that of the keys: a sealed server is backed up, too

    def add_arguments(self, parser):
        parser.add_argument("job", nargs="?", choices=JOBS, help="the job to run now; all if missing")

    def handle(self, *, job, **options):
        if job is None:
            return self._loop()
        try:
            with stops_cleanly():
                failure = runs.run(JOBS[job], self.stdout)
        except DatabaseError as error:
            heartbeat_urls.report(job, is_failure=True)
            raise CommandError(f"The database can't be asked: {type(error).__name__}.") from None
        if failure is None:
            self.stdout.write(f"{job} runs already: {JobRun.objects.get(job=job).held_by}")
        elif failure:
            raise CommandError(failure)

    def _loop(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        jobs = [job for job in JOBS.values() if job.name != "backup" or settings.BACKUP_DIR]
        self.stdout.write(f"Running {', '.join(job.name for job in jobs)}")
        if not settings.BACKUP_DIR:
            self.stdout.write("No backups are made: BACKUP_DIR is not set.")
        self.stdout.flush()
        for number in count():
            if number % LOOK_SECONDS == 0:
                self._run_due(jobs)
            if self._is_stopped:
                return
            time.sleep(1)  # an Event can't be set by a signal's handler: its lock may be held

    def _stop(self, *signal):
        self._is_stopped = True

    def _run_due(self, jobs):
        close_old_connections()
        try:
            last = {run.job: run for run in JobRun.objects.all()}
            for job in jobs:
                if not self._is_stopped:
                    self._run_if_due(job, last.get(job.name) or JobRun(job=job.name))
        except DatabaseError as error:
            log.warning("The database can't be asked: %s", type(error).__name__)

    def _run_if_due(self, job, last):
        now = timezone.now()
        pause = job.retry_after if last.has_failed(now) else job.every
        if last.started_at and now - last.started_at < pause:
            return
        failure = runs.run(job, self.stdout, pause=pause)
        self.stdout.flush()
        if failure:
            log.error("%s failed: %s", job.name, failure)
