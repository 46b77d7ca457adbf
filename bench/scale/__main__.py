"""Measure each page with a thousand SMTP users and with a million, on SQLite and on PostgreSQL.

`python -m bench.scale [CREDENTIALS [sqlite|postgresql]]`: CREDENTIALS instead of a million, for a shorter run.
Each database is made in a temporary folder by a process of its own, which Django is set up in once.
"""

import json
import os
import subprocess
import sys
from contextlib import nullcontext

from bench import site
from tests.with_postgres import postgres

FEW, MANY = 1_000, 1_000_000
WANTED = 1.2  # times as long, at most
DATABASES = {"sqlite": nullcontext, "postgresql": postgres}


def main(many=MANY, *names):
    for name in names or DATABASES:
        few, lots = (figures(DATABASES[name], count) for count in (FEW, int(many)))
        print(f"{name}: CPU time of a page, {FEW} and {many} SMTP users, ratio, wanted at most {WANTED}")
        for page, milliseconds in lots.items():
            ratio = milliseconds / few[page]
            verdict = "ok" if ratio <= WANTED else "ABOVE"
            print(
                f"  {page:<34} {few[page]:8.2f} ms {milliseconds:9.2f} ms {ratio:8.2f}  {verdict}", flush=True
            )


def figures(database, credentials) -> dict[str, float]:
    """Return the milliseconds of each page with so many credentials."""
    var_dir = site.set_environment()
    with site.cleaned_up(var_dir), database() as url:
        os.environ["DATABASE_URL"] = url or ""
        command = [sys.executable, "-m", "bench.scale.measure", str(credentials)]
        made = subprocess.run(command, cwd=site.ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(made.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
