import os
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage

settings.configure(
    EMAIL_HOST=os.environ["HOST"],
    EMAIL_PORT=int(os.environ["PORT"]),
    EMAIL_USE_TLS=True,
    EMAIL_HOST_USER=os.environ["LOGIN"],
    EMAIL_HOST_PASSWORD=os.environ["PASSWORD"],
)
message = EmailMessage(
    os.environ["SUBJECT"],
    Path("body.txt").read_text(encoding="utf-8"),
    f"{os.environ['NAME']} <{os.environ['SENDER']}>",
    bcc=os.environ["RECIPIENTS"].split(),
)
message.attach_file("bill.pdf")
message.send()
