. "$SCRIPTS/relay.sh"
cat > /etc/exim4/update-exim4.conf.conf <<END
dc_eximconfig_configtype='satellite'
dc_other_hostnames=''
dc_local_interfaces='127.0.0.1'
dc_readhost='example.net'
dc_smarthost='$HOST::$PORT'
CFILEMODE='644'
dc_use_split_config='false'
dc_hide_mailname='false'
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
END
echo web1.example.net > /etc/mailname
echo "*:$LOGIN:$PASSWORD" > /etc/exim4/passwd.client
chown root:Debian-exim /etc/exim4/passwd.client
# The test's server is on this machine, which Exim would not take for a smarthost.
sed -i 's/^  driver = manualroute$/  driver = manualroute\n  self = send/' /etc/exim4/exim4.conf.template
update-exim4.conf
exim4 -oi -odf -f "$SENDER" $RECIPIENTS < message.eml || true
cat /var/log/exim4/mainlog >> log
until_said '=>|\*\*|=='
