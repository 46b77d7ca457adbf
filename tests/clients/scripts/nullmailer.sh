. "$SCRIPTS/relay.sh"
echo web1.example.net > /etc/nullmailer/me
echo "$HOST smtp --port=$PORT --starttls --user=$LOGIN --pass=$PASSWORD" > /etc/nullmailer/remotes
chown mail /etc/nullmailer/remotes && chmod 600 /etc/nullmailer/remotes
[ -p /var/spool/nullmailer/trigger ] || { mkfifo /var/spool/nullmailer/trigger; chown mail: /var/spool/nullmailer/trigger; }
nullmailer-inject -f "$SENDER" $RECIPIENTS < message.eml &
setpriv --reuid=mail --regid=mail --clear-groups /usr/sbin/nullmailer-send >> log 2>&1 &
until_said 'Sent file|failed|ailed:'
