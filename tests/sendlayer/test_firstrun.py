"""The first start writes `.env` with new keys, once; a later one never replaces any."""

import os
import stat
import subprocess
import sys

import pytest

from tests.servers import ROOT
from vault import cipher


@pytest.fixture
def var_dir(tmp_path):
    return tmp_path / "new" / "var"


def first_run(var_dir, **given):
    names = ("SECRET_KEY", "CREDENTIAL_KEYS", "DATABASE_URL")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    return subprocess.run(
        [sys.executable, "-m", "sendlayer.firstrun"],
        cwd=ROOT,
        env=environment | {"VAR_DIR": str(var_dir)} | given,
        capture_output=True,
        text=True,
    )


def mode(path):
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_firstrun_writes_keys_that_only_their_owner_can_read(var_dir):
    assert first_run(var_dir).returncode == 0
    assert (mode(var_dir), mode(var_dir / ".env")) == ("0o700", "0o600")
    lines = dict(line.split("=", 1) for line in (var_dir / ".env").read_text().splitlines() if line[0] != "#")
    assert len(lines["SECRET_KEY"]) >= 50
    assert list(cipher.parse(lines["CREDENTIAL_KEYS"])) == ["k1"]


def test_two_installs_get_different_keys(tmp_path):
    for name in ("a", "b"):
        first_run(tmp_path / name)
    assert (tmp_path / "a/.env").read_text() != (tmp_path / "b/.env").read_text()


def test_firstrun_replaces_no_keys(var_dir):
    first_run(var_dir)
    before = (var_dir / ".env").read_bytes()
    assert first_run(var_dir).returncode == 0
    assert (var_dir / ".env").read_bytes() == before
    (var_dir / ".env").write_text("")  # even one that holds no key
    assert first_run(var_dir).returncode == 0
    assert (var_dir / ".env").read_text() == ""


def test_firstrun_makes_no_keys_for_an_existing_database(var_dir):
    var_dir.mkdir(parents=True)
    (var_dir / "db.sqlite3").touch()
    done = first_run(var_dir)
    assert done.returncode == os.EX_CONFIG
    assert "no .env" in done.stderr and "backup" in done.stderr
    assert not (var_dir / ".env").exists()


@pytest.mark.parametrize("suffix", ["", "_FILE"])
def test_firstrun_writes_nothing_where_the_keys_are_given(var_dir, suffix):
    done = first_run(var_dir, **{f"SECRET_KEY{suffix}": "x", f"CREDENTIAL_KEYS{suffix}": "y"})
    assert done.returncode == 0
    assert not (var_dir / ".env").exists()


def test_firstrun_names_a_folder_that_can_not_be_created(tmp_path):
    (tmp_path / "file").touch()
    done = first_run(tmp_path / "file" / "var")
    assert done.returncode == 78
    assert f"{tmp_path}/file/var/.env can't be written" in done.stderr and "Traceback" not in done.stderr
