# mutt and neomutt: $1
cat > muttrc <<END
set smtp_url="smtp://$LOGIN@$HOST:$PORT" smtp_pass="$PASSWORD" ssl_force_tls=yes ssl_starttls=yes charset=utf-8
set ssl_verify_host=yes certificate_file=$CA from="$SENDER" realname="$NAME" use_envelope_from=no copy=no
END
"$1" -F muttrc -s "$SUBJECT" -a bill.pdf -- $RECIPIENTS < body.txt
