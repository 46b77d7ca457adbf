"""DKIM: OpenDKIM with the files of deploy/opendkim, behind the milter, signs as docs/dkim.md says."""

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.mail.clients import Mail
from tests.mail.daemons import DEPLOY, mail_server
from tests.servers import free_port, running
from tests.submission.clients import submit, wait_until
from tests.submission.from_headers import header_of

pytestmark = [pytest.mark.mail, pytest.mark.one_database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def folder():
    """The configuration and a key, where nobody but root may write, as OpenDKIM demands."""
    assert shutil.which("opendkim"), "Missing package: apt-get install opendkim"
    folder = Path(tempfile.mkdtemp(prefix="sendlayer-dkim-", dir="/var/lib"))
    folder.chmod(0o755)
    for path in (DEPLOY / "opendkim").iterdir():
        text = path.read_text().replace("/etc/opendkim/", f"{folder}/")
        (folder / path.name).write_text(text.replace("/run/opendkim/", f"{folder}/"))
    run("openssl", "genrsa", "-out", folder / "sl1.private", "2048")
    shutil.chown(folder / "sl1.private", "opendkim")
    yield folder
    shutil.rmtree(folder)


def run(*command) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout


@contextmanager
def signing(folder):
    """Run OpenDKIM until the block ends; yield its address for Postfix."""
    port = free_port()
    configuration = folder / "opendkim.conf"
    configuration.write_text(configuration.read_text().replace("8891", str(port)))
    with running(["-f", "-x", configuration], port=port, log=folder / "opendkim.log", program="opendkim"):
        yield f"inet:127.0.0.1:{port}"


def verification(folder, message: bytes) -> str:
    """What OpenDKIM says of a message's signature, with the record that docs/dkim.md makes of the key."""
    key = run("openssl", "rsa", "-in", folder / "sl1.private", "-pubout", "-outform", "der")
    (folder / "key.der").write_bytes(key)
    text = run("openssl", "base64", "-A", "-in", folder / "key.der").decode()
    (folder / "dns").write_text(f"sl1._domainkey.sl.example.com v=DKIM1; k=rsa; p={text}\n")
    (folder / "verify.conf").write_text(f"Mode v\nTestDNSData file:{folder}/dns\n")
    (folder / "message").write_bytes(message)
    command = ["opendkim", "-x", folder / "verify.conf", "-t", folder / "message"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_message_is_signed_for_its_domain(folder, mail_database, milter, sink, credential):
    sink.sink.forget()
    with signing(folder) as signer:
        milters = f"{milter.address}, {signer}"
        with mail_server(mail_database, relayhost=f"[127.0.0.1]:{sink.port}", milters=milters) as server:
            smtp = Mail(server).login(credential)
            assert submit(smtp, header_of("{C}") + b"\r\n")[0] == 553
            assert submit(smtp)[0] == 250
            ((_from, _to, signed),) = wait_until(lambda: sink.sink.messages)
    assert signed.startswith(b"DKIM-Signature: ") and signed.count(b"DKIM-Signature") == 1
    assert "(s=sl1, d=sl.example.com, 2048-bit key) succeeded" in verification(folder, signed)
    assert "failed: signature verification failed" in verification(folder, signed.replace(b"Body", b"Else"))
