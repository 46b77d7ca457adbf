WEB_PORT=$(/usr/bin/python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > alerts.yml <<END
global: {smtp_smarthost: '$HOST:$PORT', smtp_from: '$SENDER', smtp_auth_username: '$LOGIN', smtp_auth_password: '$PASSWORD'}
route: {receiver: mail, group_wait: 0s}
receivers: [{name: mail, email_configs: [{to: '$TO'}]}]
END
prometheus-alertmanager --config.file=alerts.yml --storage.path=data --web.listen-address=127.0.0.1:$WEB_PORT \
  --cluster.listen-address= --log.level=debug > log 2>&1 &
for _ in $(seq 100); do
  curl -s -H 'Content-Type: application/json' -d '[{"labels": {"alertname": "Down"}}]' \
    http://127.0.0.1:$WEB_PORT/api/v2/alerts && break
  sleep 0.1
done
for _ in $(seq 100); do grep -qE 'Notify success|Notify .*failed' log && break; sleep 0.1; done
cat log
grep -q 'Notify success' log
