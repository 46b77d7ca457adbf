"""deploy/README.md and docs/dist-upgrade.md as `make walk-through` reads them, without running it."""

import re
import subprocess

import pytest

from tests.debian.documents import README, UPGRADE, Block, blocks, is_complete
from tests.debian.machine import RELEASES
from tests.debian.walkthrough import ACCEPTED, script

pytestmark = pytest.mark.one_database

BLOCKS = blocks(README.read_text())


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("database", ["pgsql", "sqlite"])
def test_blocks_of_each_variant_are_one_valid_script_up_to_accepted_mail(release, database):
    chosen = [block for block in BLOCKS if block.is_for(release, database)]
    text = script(chosen, values="", twice=False)
    assert subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True).stderr == ""
    assert text.count("deploy/sendlayer-install") == text.count("deploy/sendlayer-upgrade") == 1
    assert ACCEPTED in [text for block in chosen for text in block.shows]
    assert text.count("as_mail()") == (database == "pgsql")
    assert " pull " not in text and "rollback" not in text


def test_every_step_reads_its_values_before_it_uses_one():
    steps: dict[str, str] = {}
    for block in BLOCKS:
        steps[block.heading] = steps.get(block.heading, "") + block.text
    used = re.compile(r"\$(HOST|DASHBOARD|DOMAIN|UNITS|MAIL_PASSWORD)\b")
    steps = {heading: text for heading, text in steps.items() if used.search(text)}
    assert len(steps) >= 3
    for heading, text in steps.items():
        assert ". /root/sendlayer.conf\n" in text[: used.search(text).start()], heading


@pytest.mark.parametrize("database", ["pgsql", "sqlite"])
def test_upgrade_of_debian_is_one_valid_script_with_a_reboot_and_accepted_mail(database):
    chosen = [block for block in blocks(UPGRADE.read_text()) if block.is_for("trixie", database)]
    text = script(chosen, values="", twice=False)
    assert subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True).stderr == ""
    assert text.count("pg_upgradecluster") == (database == "pgsql")
    assert [block.heading for block in chosen if "reboot" in block.words] == ["4. Dashboard and milter"]
    assert ACCEPTED in [text for block in chosen for text in block.shows]


def test_comments_of_a_block_are_read():
    document = "# A\n\n<!-- walk-through: pgsql, once -->\n<!-- shows: x y -->\n"
    document += "```bash\n# no heading\ncat <<END\n1\nEND\n"
    (block,) = blocks(document + "a \\\n  b\n```\n")
    assert (block.heading, block.words, block.shows, block.commands) == ("A", {"pgsql", "once"}, ["x y"], 2)
    assert block.is_for("trixie", "pgsql") and not block.is_for("trixie", "sqlite")
    with pytest.raises(ValueError, match="unknown"):
        blocks(document.replace("once", "sometimes") + "```\n")
    with pytest.raises(ValueError, match="no blocks under 10"):
        blocks("<!-- repeat: 10. Nothing -->\n")


@pytest.mark.parametrize("text", ["a \\\n", "cat <<END\n1\n", "a() {\n", "a ||\n", "if a; then\n", "echo 'a\n"])
def test_command_that_continues_is_not_complete(text):
    assert not is_complete(text)
    assert is_complete("a\n") and Block("", text).commands == 0
