sendemail -s "$HOST:$PORT" -o tls=yes -xu "$LOGIN" -xp "$PASSWORD" -f "$NAME <$SENDER>" -bcc $RECIPIENTS \
  -u "$SUBJECT" -o message-charset=utf-8 -o message-file=body.txt -a bill.pdf
