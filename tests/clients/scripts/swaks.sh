swaks -4 --server "$HOST:$PORT" --tls --tls-verify --tls-ca-path "$CA" --auth PLAIN --auth-user "$LOGIN" \
  --auth-password "$PASSWORD" --from "$SENDER" --to "$TO" --data @message.eml
