"""PostgreSQL stopped and started under load: 503 or a short wait, and no answered write is lost."""

import time

import pytest

from tests.faults.elsewhere import manage, numbers_of, set_up
from tests.faults.figures import FACTOR
from tests.faults.web import Person, answers_of, await_acts, lost, site, visited
from tests.with_postgres import LASTING, cluster

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]  # SQLite can't be stopped


def test_postgresql_restart_under_load_loses_nothing_acknowledged(tmp_path, figures):
    with cluster(LASTING) as server:
        name, session = set_up(server.url)
        with site(tmp_path, DATABASE_URL=server.url) as serving:
            with visited(serving.port, name, session) as crowd:
                for seconds in [0.5, 2, 7][: 2 + (FACTOR > 1)] * FACTOR:
                    await_acts(crowd, 5)
                    server.stop()
                    time.sleep(seconds)
                    server.start()
                    figures.count(outages=1)
                await_acts(crowd, 5)
            status, _page = Person(serving.port, session).ask("GET", f"/domains/{name}/settings/smtp/")
        answers = answers_of(crowd)
        missing = lost(crowd, numbers_of(server.url))
        manage(server.url, "verify_store")
        figures.count(answered=answers[302], unavailable=answers[503], lost=len(missing), torn=0)
    assert missing == []
    assert set(answers) <= {302, 503}
    assert answers[302] > 10 and status == 200
    assert "Traceback" not in serving.log.read_text()


def test_unreachable_database_answers_503_with_retry_after(tmp_path):
    with cluster(LASTING) as server:
        name, session = set_up(server.url)
        with site(tmp_path, DATABASE_URL=server.url) as serving:
            person = Person(serving.port, session)
            path = f"/domains/{name}/settings/smtp/"
            got = person.ask("GET", path)
            assert got[0] == 200, serving.log.read_text()
            server.stop()
            try:
                status, page = person.ask("GET", path)
                assert status == 503 and "try again" in page.lower()
            finally:
                server.start()
            assert person.ask("GET", path)[0] == 200
