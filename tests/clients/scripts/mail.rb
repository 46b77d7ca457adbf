require "mail"
mail = Mail.new(charset: "UTF-8")
mail[:from] = Mail::Address.new.tap { |from| from.address, from.display_name = ENV["SENDER"], ENV["NAME"] }.to_s
mail.bcc, mail.subject = ENV["RECIPIENTS"].split, ENV["SUBJECT"]
mail.body = File.read("body.txt", encoding: "UTF-8")
mail.add_file("bill.pdf")
mail.delivery_method(
  :smtp, address: ENV["HOST"], port: ENV["PORT"].to_i, user_name: ENV["LOGIN"], password: ENV["PASSWORD"],
  authentication: :plain, enable_starttls: true
)
mail.deliver!
