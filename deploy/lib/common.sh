# Steps that sendlayer-install, -upgrade and -rollback share; they source it.
# shellcheck shell=bash
# shellcheck disable=SC2034  # used by those that source this

CONF=/root/sendlayer.conf
CODE=/opt/sendlayer
VAR=/var/lib/sendlayer
SBIN=/usr/local/sbin
BACKUPS=/var/backups/sendlayer
# What sendlayer-upgrade did last: sendlayer-rollback undoes that.
RECORD=/root/sendlayer.upgrade
TIMERS="sendlayer-check-domains.timer sendlayer-tidy.timer sendlayer-backup.timer"

# The values of $CONF, for those that it doesn't set.
SOURCE='' SERVER=postfix DATABASE=pgsql HOST='' DASHBOARD='' OWNER='' DOMAIN='' RELAYHOST='' RELAY_URL=''
RESOLVERS=9.9.9.9,1.1.1.1 PROXY=nginx CERTIFICATE=self-signed CERTIFICATE_CHAIN='' CERTIFICATE_KEY=''
MAIL_PASSWORD='' UNITS=''
NAMES="SOURCE SERVER DATABASE HOST DASHBOARD OWNER DOMAIN RELAYHOST RELAY_URL RESOLVERS PROXY CERTIFICATE
    CERTIFICATE_CHAIN CERTIFICATE_KEY"

DRY_RUN='' STEP='' HINT='' SETS=()
export DEBIAN_FRONTEND=noninteractive
# psql can't enter every folder that root is in.
cd /

say() { printf '%s\n' "$*"; }

refuse() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 2
}

# step NAME HINT COMMAND…: do one step. The hint says what to do when it fails. A trial run does none.
step() {
    STEP=$1 HINT=$2
    if [ "$DRY_RUN" ]; then
        say "would: $STEP"
    else
        say "$(date +%T) $STEP"
        "${@:3}"
    fi
    STEP=''
}

# Names the step that failed; for a trap on EXIT, with its code.
report_failure() {
    [ "$1" = 0 ] || [ -z "$STEP" ] || printf '%s: FAILED at: %s\n%s\n' "${0##*/}" "$STEP" "$HINT" >&2
}

# --- options and values ---------------------------------------------------------

# Options of all commands; returns 1 for others. Sets SHIFT to the number of words.
common_option() {
    SHIFT=1
    case $1 in
        --dry-run) DRY_RUN=yes ;;
        --set)
            [[ ${2-} == *=* && " ${NAMES//[[:space:]]/ } " == *" ${2%%=*} "* ]] ||
                refuse "--set takes NAME=VALUE, with one of these names: ${NAMES//[[:space:]]/ }"
            SETS+=("$2")
            SHIFT=2
            ;;
        --help)
            sed -n '2,/^$/s/^# \{0,1\}//p' "$DEPLOY/${0##*/}"
            exit 0
            ;;
        *) return 1 ;;
    esac
}

# A trial run needs neither.
require_root() {
    [ ! "$DRY_RUN" ] || return 0
    [ "$(id -u)" = 0 ] || refuse "run it as root."
    [ -d /run/systemd/system ] || refuse "systemd has to run here; in a container, see docs/container.md."
}

load_values() {
    local set
    # shellcheck disable=SC1090
    [ ! -e "$CONF" ] || . "$CONF"
    SOURCE=${SOURCE:-$(git -C "$DEPLOY" rev-parse --show-toplevel 2> /dev/null || dirname "$DEPLOY")}
    for set in ${SETS[@]+"${SETS[@]}"}; do printf -v "${set%%=*}" %s "${set#*=}"; done
    case $SERVER in postfix | listener | none) ;; *) refuse "SERVER is postfix or listener, not $SERVER." ;; esac
    case $DATABASE in pgsql | sqlite) ;; *) refuse "DATABASE is pgsql or sqlite, not $DATABASE." ;; esac
    case $PROXY in nginx | none) ;; *) refuse "PROXY is nginx or none, not $PROXY." ;; esac
    case $CERTIFICATE in
        certbot) CERTIFICATE_CHAIN=/etc/letsencrypt/live/$DASHBOARD/fullchain.pem
            CERTIFICATE_KEY=/etc/letsencrypt/live/$DASHBOARD/privkey.pem ;;
        self-signed) CERTIFICATE_CHAIN=/etc/ssl/sendlayer/chain.pem CERTIFICATE_KEY=/etc/ssl/sendlayer/key.pem ;;
        own) ;;
        *) refuse "CERTIFICATE is certbot, own or self-signed, not $CERTIFICATE." ;;
    esac
    [ "$UNITS" ] || case $SERVER in
        postfix) UNITS="sendlayer-web sendlayer-reports $TIMERS" ;;
        listener) UNITS="sendlayer-web sendlayer-submission $TIMERS" ;;
        none) UNITS="sendlayer-web" ;;
    esac
}

# Write a value into $CONF, in place of the one there.
keep_value() {
    local line
    if [[ $2 =~ ^[A-Za-z0-9.,:/@_+-]*$ ]]; then
        line=$1=$2
    elif [[ $2 =~ ^[][A-Za-z0-9.,:/@_+\ -]*$ ]]; then
        line="$1=\"$2\""
    else
        printf -v line '%s=%q' "$1" "$2"
    fi
    (umask 077 && touch "$CONF")
    if grep -q "^$1=" "$CONF"; then
        # The new line comes by standard input: it may be a password.
        sed -i -e "/^$1=/{r /dev/stdin" -e 'd}' "$CONF" <<< "$line"
    else
        printf '%s\n' "$line" >> "$CONF"
    fi
}

# --- code -----------------------------------------------------------------------

debian() { sed -n 's/^VERSION_ID="\?\([0-9]*\).*/\1/p' /etc/os-release; }
commit_of() { git -C "$1" rev-parse HEAD 2> /dev/null || true; }
version_of() { sed -n 's/^__version__ = "\(.*\)"/\1/p' "$1/sendlayer/__init__.py"; }

# Clone the committed files of $SOURCE into a new folder.
fetch_code() {
    rm -rf "$1"
    # Somebody else may own a folder with a clone.
    git -c safe.directory='*' clone --quiet "$SOURCE" "$1"
}

# A virtual environment for the version in $1. Its programs name their interpreter, which will be in $CODE.
make_environment() {
    python3 -m venv --clear "$1/.venv"
    "$1/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$1/requirements.txt"
    find "$1/.venv/bin" -type f -exec sed -i "s|$1/.venv|$CODE/.venv|g" {} +
}

environment_works() { (cd "$1" && .venv/bin/python -c 'import django') 2> /dev/null; }

# The commands of the version in $1, which is or will be in $CODE.
install_commands() {
    local name
    rm -f "$SBIN"/sendlayer-*
    if [ -d "$1/deploy/lib" ]; then
        for name in "$1"/deploy/sendlayer-*; do ln -s "$CODE/deploy/${name##*/}" "$SBIN/"; done
    else
        install -m 755 "$1"/deploy/sendlayer-{manage,migrate,restore} "$SBIN/"
    fi
}

# manage.py of the version in $1, as the dashboard's user, with its settings
manage_in() (
    umask 077
    cd "$1" || exit
    exec runuser -u sendlayer -- env VAR_DIR="$VAR" .venv/bin/python manage.py "${@:2}"
)

setting() { sed -n "s/^$1=//p" "$VAR/.env"; }
has_postgres() { grep -q "^DATABASE_URL=[\"']\?postgres" "$VAR/.env"; }
# Without what as_owner sets: in its trap, that still holds.
as_postgres() { PGOPTIONS='' runuser -u postgres -- psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
set_rights() { as_postgres -f "$1/deploy/postgres/app_role.sql" sendlayer; }

# The same with the rights of the tables' owner. On PostgreSQL the dashboard's role owns nothing, and may act as the
# owner for this one command; however it ends, the rights are taken away again.
as_owner() (
    if has_postgres; then
        set_rights "$1"
        # shellcheck disable=SC2064
        trap "set_rights '$1'" EXIT
        as_postgres -c "GRANT sendlayer_owner TO sendlayer" sendlayer
        PGOPTIONS="-c role=sendlayer_owner" manage_in "$@"
    else
        manage_in "$@"
        # Its workers keep the former schema of a SQLite file: the first login of each would be answered 454.
        ! systemctl -q is-active dovecot || systemctl restart dovecot
    fi
)

# The mail servers' role, by roles.sql of the version in $1. A migration may replace what it was granted.
set_mail_role() {
    SENDLAYER_MAIL_PASSWORD=$MAIL_PASSWORD as_postgres -f "$1/deploy/postgres/roles.sql" sendlayer > /dev/null
}

# --- services -------------------------------------------------------------------

# A timer's service may be at work just now: that isn't a failure.
stop_units() {
    # shellcheck disable=SC2086
    systemctl stop $UNITS
    # shellcheck disable=SC2086
    systemctl stop ${UNITS//.timer/.service}
    # shellcheck disable=SC2086
    systemctl reset-failed ${UNITS//.timer/.service} 2> /dev/null || true
}

start_units() {
    local unit
    for unit in $UNITS; do systemctl restart "$unit"; done
}

# The port of manage.py milter: Postfix takes no mail while nobody listens there.
start_milter() {
    if [ "$SERVER" = postfix ] && grep -q '^[^#]*inet:127\.0\.0\.1:2582' /etc/postfix/main.cf; then
        systemctl enable --quiet sendlayer-milter
        systemctl restart sendlayer-milter
        # It is started before it listens.
        timeout 60 bash -c 'until (: < /dev/tcp/127.0.0.1/2582) 2> /dev/null; do sleep 0.1; done'
    fi
}

# Dovecot's workers keep the former schema of a SQLite file, and Dovecot 2.3 ends with a refusal what it could not look
# up before it is reloaded. So no mail is taken while a SQLite file is changed: clients come again.
pause_mail() {
    [ "$SERVER $DATABASE" != "postfix sqlite" ] || systemctl stop postfix dovecot
}

with_mail() { [ "$SERVER $DATABASE" != "postfix sqlite" ] || printf ' postfix dovecot'; }

# Postfix last: a new smtpd that finds no Dovecot ends with "no SASL authentication mechanisms", and Postfix's master
# starts no other for a minute, whatever is reloaded.
resume_mail() {
    [ "$SERVER $DATABASE" = "postfix sqlite" ] || return 0
    doveconf -n > /dev/null
    systemctl restart dovecot
    postfix check
    systemctl restart postfix
}

reload_postfix() {
    [ "$SERVER $DATABASE" = "postfix pgsql" ] || return 0
    postfix check
    postfix reload 2>&1 | sed 's/^/  /'
}

# What Dovecot could not look up in the meantime waits for 20 s at most, then gets a temporary failure.
reload_dovecot() {
    doveconf -n > /dev/null
    sleep 25
    systemctl reload dovecot
}

reload_proxy() {
    [ "$PROXY" = nginx ] && systemctl -q is-active nginx || return 0
    nginx -t -q
    systemctl reload nginx
}

back_up() {
    install -d -o sendlayer -g sendlayer -m 700 "$BACKUPS"
    manage_in "$CODE" backup "$1"
}

# --- a real login ---------------------------------------------------------------

# Log in at 127.0.0.1 with an SMTP user that is made for it and deleted. Also run by versions before this one.
TRY_LOGIN='
import os, smtplib, ssl, sys, time
from django.conf import settings
from audit.actor import Actor
from credentials.models.deleted import DeletedCredential
from domains.models import Domain

by = Actor.system("deploy")
usable = Domain.objects.filter(authorized_at__isnull=False, suspended_at=None).order_by("pk")
domain = usable.filter(name=os.environ["TRY_DOMAIN"]).first() or usable.first()
if domain is None:
    sys.exit("No domain may send, so no login was tried.")
credential, password = domain.credentials.issue(by=by, label="Test of the installation")
credential.notifies_owners = credential.tells_owners = False
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
answer, deadline = "", time.monotonic() + 60
while not answer.startswith("235") and time.monotonic() < deadline:
    try:
        with smtplib.SMTP("127.0.0.1", settings.SMTP_PORT, timeout=30) as client:
            client.starttls(context=context)
            answer = "%d" % client.login(credential.username, password)[0]
    except smtplib.SMTPResponseException as error:
        answer = f"{error.smtp_code} {error.smtp_error!r}"
    except (OSError, smtplib.SMTPException) as error:
        answer = f"{type(error).__name__}: {error}"
    if not answer.startswith("235"):
        time.sleep(1)
credential.remove(by=by)
DeletedCredential.objects.get(username=credential.username).erase(by=by)
if not answer.startswith("235"):
    sys.exit(f"The login of {domain.name} was answered: {answer}")
print(f"A login of {domain.name} was accepted.")
'

try_login() { TRY_DOMAIN=$DOMAIN manage_in "$CODE" shell -v0 -c "$TRY_LOGIN"; }
