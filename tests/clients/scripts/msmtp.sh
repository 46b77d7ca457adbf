msmtp --host="$HOST" --port="$PORT" --tls=on --tls-starttls=on --tls-trust-file="$CA" --auth=on --user="$LOGIN" \
  --passwordeval='printenv PASSWORD' --from="$SENDER" -- $RECIPIENTS < message.eml
