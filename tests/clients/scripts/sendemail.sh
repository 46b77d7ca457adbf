# By name, it tries ::1 alone where that is localhost too.
sendemail -s "127.0.0.1:$PORT" -o tls=yes -xu "$LOGIN" -xp "$PASSWORD" -f "$NAME <$SENDER>" -bcc $RECIPIENTS \
  -u "$SUBJECT" -o message-charset=utf-8 -o message-file=body.txt -a bill.pdf
