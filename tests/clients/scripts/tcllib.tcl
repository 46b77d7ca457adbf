# Text alone: its multipart messages have a line in the header that is no field.
package require mime
package require smtp
package require tls
tls::init -cafile $env(CA) -require 1
proc read_file {name} { set file [open $name rb]; set all [read $file]; close $file; return $all }
set text [mime::initialize -canonical text/plain -param {charset utf-8} -encoding quoted-printable \
    -string [string map [list \n \r\n] [read_file body.txt]]]
smtp::sendmessage $text -servers $env(HOST) -ports $env(PORT) -usetls 1 -debug 1 \
    -username $env(LOGIN) -password $env(PASSWORD) -originator $env(SENDER) \
    -recipients [join $env(RECIPIENTS) ,] \
    -header [list From "[mime::word_encode utf-8 quoted-printable [encoding convertto utf-8 $env(NAME)]] <$env(SENDER)>"] \
    -header [list Subject [mime::word_encode utf-8 quoted-printable [encoding convertto utf-8 $env(SUBJECT)]]]
