. "$SCRIPTS/relay.sh"
cd /etc/mail
cat > sendmail.mc <<END
include(\`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(\`debian')dnl
DOMAIN(\`debian-mta')dnl
define(\`SMART_HOST', \`relay:[127.0.0.1]')dnl
define(\`RELAY_MAILER_ARGS', \`TCP \$h $PORT')dnl
define(\`confCACERT', \`$CA')dnl
define(\`confQUEUE_LA', \`1000')dnl
FEATURE(\`authinfo', \`hash /etc/mail/authinfo')dnl
FEATURE(\`nocanonify')dnl
MAILER(\`smtp')dnl
END
m4 sendmail.mc > sendmail.cf
echo "AuthInfo:127.0.0.1 \"U:$LOGIN\" \"P:$PASSWORD\" \"M:PLAIN\"" > authinfo
makemap hash authinfo < authinfo; chmod 600 authinfo*
cd - > /dev/null
/usr/libexec/sendmail/sendmail -Am -C/etc/mail/sendmail.cf -oi -odi -f "$SENDER" $RECIPIENTS < message.eml >> log 2>&1 || true
until_said 'stat='
