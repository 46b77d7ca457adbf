# The files below /etc: as a version ships them, with this host's values. Sourced beside common.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034  # used by those that source this

# What main.cf leaves to the operator: values of sendlayer.conf, and what deploy/README.md and docs/dkim.md say to set.
OF_CONF="myhostname relayhost smtpd_tls_chain_files sendlayer_database"
OF_OPERATOR="smtpd_milters smtp_sasl_auth_enable smtp_sasl_password_maps smtp_tls_security_level"

NONCE=''

# Replace words of a file. The program comes by standard input: a password must not be in the list of processes.
fill() { sed -i -f /dev/stdin "$1" <<< "$2"; }

# render CODE TREE: the files of the version in CODE, with owner and mode, below TREE.
render() {
    local deploy=$1/deploy tree=$2
    mkdir -p "$tree"/etc/{systemd/system,postfix,dovecot,nginx/conf.d}
    install -m 644 "$deploy"/systemd/* "$tree/etc/systemd/system/"
    [ "$PROXY" = none ] || render_nginx "$deploy" "$tree/etc/nginx/conf.d/sendlayer.conf"
    [ "$SERVER" = postfix ] || return 0
    render_postfix "$deploy/postfix" "$tree/etc/postfix"
    render_dovecot "$deploy/dovecot" "$tree/etc/dovecot"
}

render_nginx() {
    install -m 644 "$1/nginx/sendlayer.conf" "$2"
    fill "$2" "s|/etc/letsencrypt/live/mail[.]example[.]com/fullchain.pem|$CERTIFICATE_CHAIN|
        s|/etc/letsencrypt/live/mail[.]example[.]com/privkey.pem|$CERTIFICATE_KEY|
        s/mail[.]example[.]com/$DASHBOARD/g"
}

render_postfix() {
    install -m 644 "$1/main.cf" "$1/master.cf" "$2/"
    install -o root -g postfix -m 640 "$1/$DATABASE/sendlayer-sender.cf" "$2/"
    fill "$2/sendlayer-sender.cf" "s/CHANGE-ME/$MAIL_PASSWORD/"
    set_in_main_cf "$2" "myhostname = $HOST" "relayhost = $RELAYHOST" \
        "sendlayer_database = ${DATABASE/#pgsql/proxy:pgsql}" \
        "smtpd_tls_chain_files = $CERTIFICATE_KEY, $CERTIFICATE_CHAIN"
}

set_in_main_cf() { postconf -c "$1" -e "${@:2}"; }

# Dovecot 2.3 and 2.4 need different files; what both can read is beside the folders.
render_dovecot() {
    local version file
    version=$(dovecot --version | cut -d. -f1,2)
    install -m 644 "$1/$version/dovecot.conf" "$1/sendlayer-auth.conf" "$2/"
    find "$1/$version" -name '*.sh' -exec install -m 755 {} "$2/" \;
    install -m 600 "$1/$version/$DATABASE"/*.conf "$1/sendlayer-reports.conf" "$2/"
    for file in "$2"/sendlayer-passdb*.conf; do fill "$file" "s/CHANGE-ME/$MAIL_PASSWORD/"; done
    # With it Dovecot makes digests of passwords; it is derived from SECRET_KEY.
    NONCE=${NONCE:-$(manage_in "$CODE" reports --nonce)}
    fill "$2/sendlayer-reports.conf" "s/CHANGE-ME/$(setting REPORTS_SECRET)/;s/CHANGE-NONCE/$NONCE/"
}

# carry_over OLD NEW NAME…: set in the main.cf of both trees what the operator has set otherwise than in OLD.
carry_over() {
    local name value
    [ "$SERVER" = postfix ] && grep -qs ^sendlayer_database /etc/postfix/main.cf || return 0
    for name in "${@:3}"; do
        value=$(postconf -c /etc/postfix -h "$name")
        [ "$value" != "$(postconf -c "$1/etc/postfix" -h "$name")" ] || continue
        set_in_main_cf "$1/etc/postfix" "$name = $value"
        set_in_main_cf "$2/etc/postfix" "$name = $value"
    done
}

# Install a tree over /etc as it is.
install_tree() {
    local file
    (cd "$1" && find etc -type f) | while read -r file; do cp -p "$1/$file" "/$file"; done
}

# update_tree OLD NEW SAVED: bring each file of NEW to /etc. One that isn't as in OLD was changed by the operator: it
# stays, and the new one is put beside it. SAVED gets what is replaced, in before/, and a list of new files.
update_tree() {
    local file
    install -d -m 700 "$3" "$3/before"
    touch "$3/added"
    while read -r file; do
        if cmp -s "$2/$file" "/$file" || { [ -e "/$file" ] && cmp -s "$1/$file" "$2/$file"; }; then
            continue
        elif [ ! -e "/$file" ]; then
            printf '%s\n' "$file" >> "$3/added"
            cp -p "$2/$file" "/$file"
        elif cmp -s "$1/$file" "/$file"; then
            save "$file" "$3"
            cp -p "$2/$file" "/$file"
            say "  /$file: updated"
        else
            leave "$file" "$2" "$3"
        fi
    done < <(cd "$2" && find etc -type f | sort)
}

# A second run must not replace what the first one saved.
save() {
    [ -e "$2/before/$1" ] || (cd / && cp -p --parents "$1" "$2/before/")
}

leave() {
    cp -p "$2/$1" "/$1.dist"
    say "  /$1: you have changed it, so it stays as it is. The new one is /$1.dist; what differs:"
    diff -u "/$1" "/$1.dist" | sed 's/^/    /' | hide_secrets || true
    [[ $1 != */sendlayer-sender.cf ]] || update_query "$1" "$2" "$3"
}

# The mail servers' role may no longer ask what the line shipped up to 0.2.0 asks.
update_query() {
    local former="query = SELECT sasl_username FROM smtp_sender WHERE domain = '%d'"
    if grep -qxF "$former" "/$1" && ! grep -qxF "$former" "$2/$1"; then
        save "$1" "$3"
        sed -i -e "/^$former\$/{r /dev/stdin" -e 'd}' "/$1" < <(sed -n '/^query = /,$p' "$2/$1")
        say "  /$1: its query is updated"
    fi
}

hide_secrets() {
    local secret program=''
    for secret in "$MAIL_PASSWORD" "$(setting REPORTS_SECRET)" "$NONCE"; do
        [ ! "$secret" ] || program+="s/$secret/…/g;"
    done
    sed -f <(printf '%s' "$program")
}

# What the upgrade replaced, as it was; what it added goes away.
put_back() {
    local file
    [ -d "$1/before" ] || return 0
    while read -r file; do
        (cd / && cp -p --parents "$file" "$2/")
        cp -p "$1/before/$file" "/$file"
        say "  /$file: as it was before"
    done < <(cd "$1/before" && find etc -type f | sort)
    while read -r file; do
        case $file in
            */sendlayer-*.service | */sendlayer-*.timer)
                systemctl disable --quiet --now "${file##*/}"
                rm -f "/$file"
                ;;
        esac
    done < "$1/added"
}
