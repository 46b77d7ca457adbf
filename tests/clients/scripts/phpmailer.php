<?php
foreach (['Exception', 'SMTP', 'PHPMailer'] as $each) require "/usr/share/php/libphp-phpmailer/src/$each.php";
$mail = new PHPMailer\PHPMailer\PHPMailer(true);
$mail->isSMTP();
[$mail->Host, $mail->Port, $mail->SMTPSecure] = [getenv('HOST'), getenv('PORT'), 'tls'];
[$mail->SMTPAuth, $mail->Username, $mail->Password] = [true, getenv('LOGIN'), getenv('PASSWORD')];
$mail->CharSet = 'UTF-8';
$mail->setFrom(getenv('SENDER'), getenv('NAME'));
foreach (explode(' ', getenv('RECIPIENTS')) as $recipient) $mail->addBCC($recipient);
$mail->Subject = getenv('SUBJECT');
$mail->Body = file_get_contents('body.txt');
$mail->addAttachment('bill.pdf');
$mail->send();
