import os

from twisted.internet import task
from twisted.mail.smtp import sendmail


def main(reactor):
    environment = os.environ
    return sendmail(
        environment["HOST"],
        environment["SENDER"],
        environment["RECIPIENTS"].split(),
        open("message.eml", "rb"),
        reactor=reactor,
        port=int(environment["PORT"]),
        username=environment["LOGIN"].encode(),
        password=environment["PASSWORD"].encode(),
        requireAuthentication=True,
        requireTransportSecurity=True,
    )


task.react(main)
