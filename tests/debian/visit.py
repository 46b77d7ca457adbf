"""Sign of life of what `make run` started: a page, a login and a message over SMTP.

For `manage.py shell < visit.py` of the same checkout; the ports are those of `make run`.
"""

import smtplib
import ssl
import urllib.request

from django.conf import settings

from audit.actor import Actor
from domains.models import Domain

SENDER = "info@sl.example.com"

with urllib.request.urlopen("http://127.0.0.1:8000/login/", timeout=30) as page:
    assert page.status == 200 and b"Password" in page.read()
domain = Domain.objects.get(name="sl.example.com")
credential, password = domain.credentials.issue(by=Actor.system("test"), label="Test")
trusted = ssl.create_default_context(cafile=settings.VAR_DIR / "tls" / "submission.crt")
with smtplib.SMTP("127.0.0.1", 2587, timeout=30) as client:
    client.starttls(context=trusted)
    client.login(credential.username, password)
    client.sendmail(SENDER, ["somebody@example.org"], f"From: {SENDER}\r\nSubject: Test\r\n\r\nTest\r\n")
print("a page, a login and a message")
