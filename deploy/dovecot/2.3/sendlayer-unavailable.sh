#!/bin/sh
# /etc/dovecot/sendlayer-unavailable.sh, root:root 0755: see the third passdb of dovecot.conf.
# Longer than Postfix waits for Dovecot (AUTH_TIMEOUT, 10 s); 111 is a temporary failure (checkpassword).
sleep 15
exit 111
