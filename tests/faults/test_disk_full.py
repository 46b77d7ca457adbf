"""A full disk under the SQLite file: writes are refused, pages work, and free space ends it."""

import os
import random

import pytest

from tests.disks import small_disk
from tests.faults.elsewhere import manage, numbers_of, set_up
from tests.faults.web import Person, Visitor, answers_of, lost, site
from tests.submission.clients import wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ADDS = 400


def test_full_disk_loses_nothing_acknowledged(tmp_path, figures):
    with small_disk(tmp_path / "disk") as disk:
        url = f"sqlite:///{disk / 'db.sqlite3'}"
        name, session = set_up(url)
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * (os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - 150_000))
        with site(tmp_path, DATABASE_URL=url) as serving:
            person = Person(serving.port, session)
            visitor = Visitor(person, name, random.Random(1))  # noqa: S311
            for _ in range(ADDS):
                visitor.act("add", "")
                if visitor.answers[503]:
                    break
            answers = answers_of([visitor])
            assert answers[503] == 1 and set(answers) == {302, 503}
            path = f"/domains/{name}/settings/smtp/"
            assert person.ask("GET", path)[0] == 200
            username = next(iter(visitor.owned))
            # A password whose event can't be written is not shown; nor one that can't be counted (429).
            more = disk / "more"
            more.write_bytes(b"x" * (os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
            status, page = person.ask("POST", f"{path}{username}/reveal/")
            assert status in (429, 503) and "sl_" not in page
            more.unlink()
            ballast.unlink()
            # The count that could not be returned expires after a while.
            wait_until(lambda: person.ask("POST", f"{path}{username}/reveal/")[0] == 200, 40)
            visitor.act("delete", username)
            visitor.act("add", "")
        missing = lost([visitor], numbers_of(url))
        assert "everything agrees" in manage(url, "verify_store")
        figures.count(answered=visitor.answers[302], refused=visitor.answers[503], lost=len(missing), torn=0)
    assert missing == []
    assert "sl_" not in serving.log.read_text()
