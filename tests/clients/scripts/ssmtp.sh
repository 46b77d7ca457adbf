. "$SCRIPTS/relay.sh"
cat > /etc/ssmtp/ssmtp.conf <<END
mailhub=$HOST:$PORT
UseTLS=YES
UseSTARTTLS=YES
AuthUser=$LOGIN
AuthPass=$PASSWORD
FromLineOverride=YES
hostname=web1.example.net
END
/usr/sbin/ssmtp -f"$SENDER" $RECIPIENTS < message.eml
