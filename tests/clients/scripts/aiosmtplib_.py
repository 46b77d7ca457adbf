import asyncio
import os
from email import message_from_binary_file, policy

import aiosmtplib

with open("message.eml", "rb") as file:
    message = message_from_binary_file(file, policy=policy.default)
sent = aiosmtplib.send(
    message,
    sender=os.environ["SENDER"],
    recipients=os.environ["RECIPIENTS"].split(),
    hostname=os.environ["HOST"],
    port=int(os.environ["PORT"]),
    start_tls=True,
    username=os.environ["LOGIN"],
    password=os.environ["PASSWORD"],
)
asyncio.run(sent)
