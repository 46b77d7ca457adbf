# It sends an alert when it starts; TLS from the start only.
cat > monitrc <<END
set daemon 60
set log $PWD/log
set pidfile $PWD/pid
set idfile $PWD/id
set statefile $PWD/state
set mailserver $HOST port $TLS_PORT username "$LOGIN" password "$PASSWORD" using ssl with timeout 15 seconds
set ssl { verify: enable, cacertificatefile: "$CA" }
set mail-format { from: $SENDER }
END
for each in $RECIPIENTS; do echo "set alert $each" >> monitrc; done
chmod 600 monitrc
timeout 4 monit -I -c monitrc > out 2>&1 || true
cat log out
! grep -qE 'error.*(SMTP|Mail)|Alert handler failed' log out
