s-nail -:/ -Sv15-compat -Smta="smtp://$LOGIN:$PASSWORD@$HOST:$PORT" -Ssmtp-use-starttls -Ssmtp-auth=login \
  -Stls-verify=strict -Stls-ca-file="$CA" -Sttycharset=utf-8 -Sfrom="$NAME <$SENDER>" \
  -s "$SUBJECT" -a bill.pdf $RECIPIENTS < body.txt
