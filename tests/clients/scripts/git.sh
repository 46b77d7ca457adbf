git init -q .
git config user.email "$SENDER"
git config user.name x
git config sendemail.smtpsslcertpath "$CA"
git send-email --quiet --confirm=never --suppress-cc=all --smtp-server="$HOST" --smtp-server-port="$PORT" \
  --smtp-encryption=tls --smtp-user="$LOGIN" --smtp-pass="$PASSWORD" --from="$NAME <$SENDER>" \
  --transfer-encoding=8bit --to="$TO" patch.eml
