<?php
require '/usr/share/php/Symfony/Component/Mailer/autoload.php';
$login = getenv('LOGIN') . ':' . rawurlencode(getenv('PASSWORD'));
$transport = Symfony\Component\Mailer\Transport::fromDsn("smtp://$login@" . getenv('HOST') . ':' . getenv('PORT'));
$mail = (new Symfony\Component\Mime\Email())
    ->from(new Symfony\Component\Mime\Address(getenv('SENDER'), getenv('NAME')))
    ->bcc(...explode(' ', getenv('RECIPIENTS')))
    ->subject(getenv('SUBJECT'))
    ->text(file_get_contents('body.txt'))
    ->attachFromPath('bill.pdf');
(new Symfony\Component\Mailer\Mailer($transport))->send($mail);
