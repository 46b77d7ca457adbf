use strict; use Net::SMTP;
my $smtp = Net::SMTP->new($ENV{HOST}, Port => $ENV{PORT}, Timeout => 30) or die "no connection: $@";
$smtp->starttls() or die 'STARTTLS: ' . $smtp->message . $@;
$smtp->auth($ENV{LOGIN}, $ENV{PASSWORD}) or die 'AUTH: ' . $smtp->code . ' ' . $smtp->message;
$smtp->mail($ENV{SENDER}) or die 'MAIL: ' . $smtp->code . ' ' . $smtp->message;
$smtp->to(split / /, $ENV{RECIPIENTS}) or die 'RCPT: ' . $smtp->code . ' ' . $smtp->message;
open my $file, '<:raw', 'message.eml' or die;
$smtp->data(<$file>) or die 'DATA: ' . $smtp->code . ' ' . $smtp->message;
$smtp->quit;
