<?php
require 'Mail.php';
require 'Mail/mime.php';
$mime = new Mail_mime(['eol' => "\r\n", 'text_charset' => 'UTF-8', 'head_charset' => 'UTF-8']);
$mime->setTXTBody('body.txt', true);
$mime->addAttachment('bill.pdf');
$mime->setFrom(getenv('NAME') . ' <' . getenv('SENDER') . '>');
$mime->setSubject(getenv('SUBJECT'));
$body = $mime->get();
$options = ['host' => getenv('HOST'), 'port' => getenv('PORT'), 'auth' => true];
$options += ['username' => getenv('LOGIN'), 'password' => getenv('PASSWORD')];
$sent = Mail::factory('smtp', $options)->send(explode(' ', getenv('RECIPIENTS')), $mime->headers(), $body);
if ($sent instanceof PEAR_Error) {
    echo $sent->getMessage(), "\n";
    exit(1);
}
