require "net/smtp"
smtp = Net::SMTP.new(ENV["HOST"], ENV["PORT"].to_i)
smtp.enable_starttls
smtp.start("site.example", ENV["LOGIN"], ENV["PASSWORD"], :login) do |session|
  session.send_message(File.binread("message.eml"), ENV["SENDER"], ENV["RECIPIENTS"].split)
end
