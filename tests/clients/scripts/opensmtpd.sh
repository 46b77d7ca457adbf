. "$SCRIPTS/relay.sh"
cat > /etc/smtpd.conf <<END
table secrets file:/etc/secrets
listen on socket
action out relay host smtp+tls://sendlayer@$HOST:$PORT auth <secrets>
match from local for any action out
END
echo "sendlayer $LOGIN:$PASSWORD" > /etc/secrets
chown root:opensmtpd /etc/secrets; chmod 640 /etc/secrets
/usr/sbin/smtpd -d -f /etc/smtpd.conf >> log 2>&1 &
for _ in $(seq 100); do [ -S /var/run/smtpd.sock ] && break; sleep 0.05; done
/usr/sbin/sendmail -i -f "$SENDER" $RECIPIENTS < message.eml
until_said 'mta delivery|mta error' "$(each)"
