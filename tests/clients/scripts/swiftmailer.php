<?php
require '/usr/share/php/Egulias/EmailValidator/autoload.php';
require '/usr/share/php/Swift/swift_required.php';
$transport = (new Swift_SmtpTransport(getenv('HOST'), getenv('PORT'), 'tls'))
    ->setUsername(getenv('LOGIN'))
    ->setPassword(getenv('PASSWORD'));
$mail = (new Swift_Message(getenv('SUBJECT')))
    ->setFrom([getenv('SENDER') => getenv('NAME')])
    ->setBcc(explode(' ', getenv('RECIPIENTS')))
    ->setBody(file_get_contents('body.txt'))
    ->attach(Swift_Attachment::fromPath('bill.pdf'));
if (!(new Swift_Mailer($transport))->send($mail)) exit(1);
