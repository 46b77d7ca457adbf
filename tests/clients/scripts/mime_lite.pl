use strict; use Encode; use MIME::Lite; use Net::SMTP;
my $encoded = sub { encode('MIME-Header', decode('UTF-8', $_[0])) };
my $mail = MIME::Lite->new(
    From => $encoded->($ENV{NAME}) . " <$ENV{SENDER}>", Bcc => join(',', split / /, $ENV{RECIPIENTS}),
    Subject => $encoded->($ENV{SUBJECT}), Type => 'multipart/mixed');
$mail->attach(Type => 'text/plain; charset=UTF-8', Path => 'body.txt', Encoding => 'quoted-printable',
    Disposition => 'inline');
$mail->attach(Type => 'application/pdf', Path => 'bill.pdf', Filename => 'bill.pdf', Encoding => 'base64');
# Its own send('smtp', SSL => 1) writes lines with a bare LF, so that no server sees the end of the message.
my $smtp = Net::SMTP->new($ENV{HOST}, Port => $ENV{PORT}, Timeout => 30) or die "no connection: $@";
$smtp->starttls() or die 'STARTTLS: ' . $smtp->message . $@;
$smtp->auth($ENV{LOGIN}, $ENV{PASSWORD}) or die 'AUTH: ' . $smtp->code . ' ' . $smtp->message;
$smtp->mail($ENV{SENDER}) or die 'MAIL: ' . $smtp->code . ' ' . $smtp->message;
$smtp->to(split / /, $ENV{RECIPIENTS}) or die 'RCPT: ' . $smtp->code . ' ' . $smtp->message;
$smtp->data($mail->as_string) or die 'DATA: ' . $smtp->code . ' ' . $smtp->message;
$smtp->quit;
