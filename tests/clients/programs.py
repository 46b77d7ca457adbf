"""Real client programs: how each is called to send one message, as a site would.

Each is a script of scripts/, run in a folder with what it sends: `message.eml` (a whole message, with LF at
the ends of lines), or `body.txt` and `bill.pdf`. The environment says how: HOST, PORT (STARTTLS), TLS_PORT (TLS
from the start), LOGIN, PASSWORD, CA (the trusted certificate), SENDER, NAME, SUBJECT, RECIPIENTS (with blanks
between them), TO (with commas), SCRIPTS (the folder).
"""

from dataclasses import dataclass
from pathlib import Path

INTERPRETERS = {
    ".sh": "bash -e",
    ".js": "node",
    ".lua": "lua5.3",
    ".php": "php",
    ".pl": "perl",
    ".py": "/usr/bin/python3",
    ".rb": "ruby",
    ".tcl": "tclsh",
}
MESSAGE = "message"
PARTS = "text bill subject name"
ITS_OWN = ""


@dataclass(frozen=True)
class Program:
    """`packages` are of Debian, the first one has its version; `script` may have arguments.

    `sends` names what can be compared: MESSAGE (all bytes of message.eml's body), some of PARTS, or ITS_OWN for
    a program that writes its message itself. `tls`: it knows no STARTTLS.
    """

    name: str
    packages: str
    script: str
    sends: str = PARTS
    tls: bool = False

    @property
    def id(self) -> str:
        return self.name.lower().replace(" ", "-").replace("/", "-")

    @property
    def command(self) -> str:
        interpreter = INTERPRETERS[Path(self.script.split()[0]).suffix]
        return f"{interpreter} $SCRIPTS/{self.script}"


# Small, so that every run of the tests has them.
SMALL = [
    Program("swaks", "swaks libnet-ssleay-perl", "swaks.sh", MESSAGE),
    Program("curl", "curl", "curl.sh", MESSAGE),
    Program("msmtp", "msmtp", "msmtp.sh", MESSAGE),
    Program("sendEmail", "sendemail libio-socket-ssl-perl", "sendemail.sh", "bill"),
    Program("smtplib (Python)", "python3", "smtplib_.py", MESSAGE),
    Program("nodemailer (Node.js)", "node-nodemailer nodejs", "nodemailer.js"),
    Program("PHPMailer (PHP)", "libphp-phpmailer php-cli", "phpmailer.php"),
    Program("net/smtp (Ruby)", "ruby", "net_smtp.rb", MESSAGE),
    Program("Net::SMTP (Perl)", "perl libauthen-sasl-perl libio-socket-ssl-perl", "net_smtp.pl", MESSAGE),
    Program("MIME::Lite (Perl)", "libmime-lite-perl libauthen-sasl-perl", "mime_lite.pl"),
]
LARGE = [
    Program("mutt", "mutt", "mutt.sh mutt"),
    Program("neomutt", "neomutt", "mutt.sh neomutt"),
    Program("s-nail", "s-nail", "s-nail.sh"),
    Program("mail (GNU Mailutils)", "mailutils", "mailutils.sh", "bill"),
    Program("git send-email", "git-email", "git.sh", "text subject name"),
    Program("smtpmail (Emacs)", "emacs-nox", "emacs.sh", MESSAGE),
    Program("Symfony Mailer (PHP)", "php-symfony-mailer", "symfony.php"),
    Program("Swift Mailer (PHP)", "php-swiftmailer", "swiftmailer.php"),
    Program("PEAR Mail (PHP)", "php-mail php-mail-mime php-net-smtp", "pear.php"),
    Program("Django (Python)", "python3-django", "django_.py"),
    Program("aiosmtplib (Python)", "python3-aiosmtplib", "aiosmtplib_.py"),
    Program("Twisted (Python)", "python3-twisted", "twisted_.py", MESSAGE),
    Program("mail (Ruby)", "ruby-mail", "mail.rb"),
    Program("Email::Sender (Perl)", "libemail-sender-perl", "email_sender.pl", MESSAGE),
    Program("Net::SMTP::TLS (Perl)", "libnet-smtp-tls-butmaintained-perl", "net_smtp_tls.pl", MESSAGE),
    Program("LuaSocket (Lua)", "lua-socket lua-sec lua5.3", "luasocket.lua", MESSAGE, tls=True),
    Program("smtp (Tcllib)", "tcllib tcl-tls", "tcllib.tcl", "text subject name"),
    Program("net/smtp (Go)", "golang-go", "go.sh", MESSAGE),
    Program(
        "Jakarta Mail (Java)",
        "libjakarta-mail-java libjakarta-activation-java default-jdk-headless",
        "java.sh Jakarta jakarta-mail jakarta-activation",
    ),
    Program(
        "Commons Email (Java)", "libcommons-email-java libmail-java", "java.sh Commons commons-email javax.mail"
    ),
    Program("monit", "monit", "monit.sh", ITS_OWN, tls=True),
    Program("Alertmanager (Go)", "prometheus-alertmanager curl", "alertmanager.sh", ITS_OWN),
]
# Mail transfer agents, which exclude one another.
RELAYS = [
    Program("Postfix", "postfix libsasl2-modules", "postfix.sh", MESSAGE),
    Program("Exim", "exim4-daemon-light", "exim.sh", MESSAGE),
    Program("sendmail", "sendmail-bin sendmail-cf m4 libsasl2-modules", "sendmail.sh", MESSAGE),
    Program("OpenSMTPD", "opensmtpd", "opensmtpd.sh", MESSAGE),
    Program("nullmailer", "nullmailer", "nullmailer.sh", MESSAGE),
    Program("dma", "dma", "dma.sh", MESSAGE),
    Program("ssmtp", "ssmtp", "ssmtp.sh", MESSAGE),
]
