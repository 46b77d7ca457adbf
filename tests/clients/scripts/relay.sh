# Sourced by the scripts of mail transfer agents, which have a queue and say in a log what became of a message.
/usr/bin/python3 "$SCRIPTS/syslog.py" > log 2>&1 &
while [ ! -S /dev/log ]; do sleep 0.05; done
chmod 666 /dev/log
hostname web1.example.net 2>/dev/null || true

# until_said REGEX [LINES]: wait until the log has it in so many lines, 20 s at most; then print the log.
until_said() {
  for _ in $(seq 400); do [ "$(grep -cE "$1" log)" -ge "${2:-1}" ] && break; sleep 0.05; done
  cat log
  ! grep -qE '\b(535|553|550|450)\b' log
}
each() { echo $RECIPIENTS | wc -w; }
