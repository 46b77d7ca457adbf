"""`swaks --pipe`: connects to PORT with STARTTLS and copies between the session and stdin/stdout.

swaks has no TLS of its own where Perl's Net::SSLeay is missing.
Arguments: port, certificate file.
"""

import os
import select
import smtplib
import ssl
import sys

STDIN, STDOUT = 0, 1


def main(port, certificate):
    smtp = smtplib.SMTP("127.0.0.1", int(port), timeout=15)
    smtp.starttls(context=ssl.create_default_context(cafile=certificate))
    os.write(STDOUT, b"220 within TLS\r\n")  # the greeting went before TLS, swaks waits for one
    while True:
        readable, _, _ = select.select([smtp.sock, STDIN], [], [])
        if STDIN in readable:
            sent = os.read(STDIN, 65536)
            if not sent:
                return
            smtp.sock.sendall(sent)
        if smtp.sock in readable and not copy_output(smtp.sock):
            return


def copy_output(sock) -> bool:
    """Copy what there is; False at the end."""
    sock.setblocking(False)
    try:
        while received := sock.recv(65536):
            os.write(STDOUT, received)
        return False
    except ssl.SSLWantReadError:
        return True
    finally:
        sock.settimeout(15)


if __name__ == "__main__":
    main(*sys.argv[1:])
