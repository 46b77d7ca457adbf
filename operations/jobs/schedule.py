"""The periodic jobs of a site."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TextIO

from django.core.management import call_command

from operations.backups import nightly

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Job:
    """What runs periodically. `run(stdout)` returns the file that it wrote, if any; it raises CommandError."""

    name: str
    run: Callable[[TextIO], nightly.Written | None]
    every: timedelta  # in the loop; timers of systemd may have it more seldom
    late_after: timedelta  # since the last success; the alerts of deploy/monitoring have the same
    bound: timedelta  # a run that takes longer has died: another may begin
    unit: str  # of deploy/systemd
    needs_keys: bool = True

    @property
    def retry_after(self) -> timedelta:
        """The pause after a failure."""
        return min(self.every, HOUR)


def _command(name) -> Callable[[TextIO], None]:
    return lambda stdout: call_command(name, stdout=stdout)


JOBS = {
    job.name: job
    for job in (
        Job("letters", _command("deliver_letters"), MINUTE, HOUR, 15 * MINUTE, "sendlayer-tidy"),
        Job("tidy", _command("tidy"), 15 * MINUTE, HOUR, 15 * MINUTE, "sendlayer-tidy"),
        Job("domains", _command("check_domains"), HOUR, 3 * HOUR, HOUR, "sendlayer-check-domains"),
        Job("backup", nightly.make, DAY, 26 * HOUR, 6 * HOUR, "sendlayer-backup", needs_keys=False),
    )
}
