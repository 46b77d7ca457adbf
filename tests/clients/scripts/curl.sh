curl -sS "smtp://$HOST:$PORT" --ssl-reqd --cacert "$CA" --login-options AUTH=LOGIN --user "$LOGIN:$PASSWORD" \
  --mail-from "$SENDER" $(printf -- '--mail-rcpt %s ' $RECIPIENTS) --crlf --upload-file message.eml
