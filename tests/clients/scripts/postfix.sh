. "$SCRIPTS/relay.sh"
newaliases 2>/dev/null || true
cat > /etc/postfix/main.cf <<END
compatibility_level = 3.6
maillog_file = /var/log/postfix.log
myhostname = web1.example.net
mydestination =
relayhost = [$HOST]:$PORT
smtp_host_lookup = native
smtp_tls_security_level = secure
smtp_tls_CAfile = $CA
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd
smtp_sasl_security_options = noanonymous
smtp_sasl_mechanism_filter = plain, login
END
cp /etc/postfix/master.cf.proto /etc/postfix/master.cf
sed -i 's/^smtp .*inet.*/#&/; s/^\(\S\+ \+\S\+ \+\S\+ \+\S\+ \+\)y/\1n/' /etc/postfix/master.cf
echo 'postlog unix-dgram n - n - 1 postlogd' >> /etc/postfix/master.cf
echo "[$HOST]:$PORT $LOGIN:$PASSWORD" > /etc/postfix/sasl_passwd
postfix start > /dev/null 2>&1
/usr/sbin/sendmail -i -f "$SENDER" $RECIPIENTS < message.eml
tail -n +1 -F /var/log/postfix.log >> log 2>/dev/null &
until_said 'status=' "$(each)"
