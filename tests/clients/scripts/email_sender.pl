use strict; use Email::Sender::Simple qw(sendmail); use Email::Sender::Transport::SMTP;
my $transport = Email::Sender::Transport::SMTP->new({
    host => $ENV{HOST}, port => $ENV{PORT}, ssl => 'starttls',
    sasl_username => $ENV{LOGIN}, sasl_password => $ENV{PASSWORD}});
open my $file, '<:raw', 'message.eml' or die;
sendmail(join('', <$file>), {from => $ENV{SENDER}, to => [split / /, $ENV{RECIPIENTS}], transport => $transport});
