mail -E "set sendmail=\"smtp://$LOGIN:$PASSWORD@$HOST:$PORT\"" -r "$SENDER" -s Bill -A bill.pdf \
  --content-type='text/plain; charset=utf-8' $RECIPIENTS < body.txt
