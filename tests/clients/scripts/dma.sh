. "$SCRIPTS/relay.sh"
cat > /etc/dma/dma.conf <<END
SMARTHOST $HOST
PORT $PORT
AUTHPATH /etc/dma/auth.conf
SECURETRANSFER
STARTTLS
MAILNAME web1.example.net
END
echo "$LOGIN|$HOST:$PASSWORD" > /etc/dma/auth.conf
chown root:mail /etc/dma/auth.conf
/usr/sbin/dma -i -D -f "$SENDER" $RECIPIENTS < message.eml || true
until_said 'delivery successful|failed|bounce|error' "$(each)"
