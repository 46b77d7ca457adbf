use strict; use Net::SMTP::TLS::ButMaintained;
my $smtp = Net::SMTP::TLS::ButMaintained->new(
    $ENV{HOST}, Port => $ENV{PORT}, User => $ENV{LOGIN}, Password => $ENV{PASSWORD}, Timeout => 30);
$smtp->mail($ENV{SENDER});
$smtp->to(split / /, $ENV{RECIPIENTS});
$smtp->data;
open my $file, '<:raw', 'message.eml' or die;
$smtp->datasend(join '', map { s/\n/\r\n/r } <$file>);
$smtp->dataend;
$smtp->quit;
