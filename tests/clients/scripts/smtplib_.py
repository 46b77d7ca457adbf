import os
import smtplib
import ssl

with open("message.eml", "rb") as file:
    message = file.read().replace(b"\n", b"\r\n")
with smtplib.SMTP(os.environ["HOST"], int(os.environ["PORT"]), timeout=30) as smtp:
    smtp.starttls(context=ssl.create_default_context())
    smtp.login(os.environ["LOGIN"], os.environ["PASSWORD"])
    smtp.sendmail(os.environ["SENDER"], os.environ["RECIPIENTS"].split(), message)
