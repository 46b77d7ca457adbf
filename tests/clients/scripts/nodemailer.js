const { HOST, PORT, LOGIN, PASSWORD, NAME, SENDER, RECIPIENTS, SUBJECT } = process.env;
const transport = require("nodemailer").createTransport({
  // It takes one of localhost's addresses by chance; ::1 is in Debian's /etc/hosts, too.
  host: "127.0.0.1", port: PORT, requireTLS: true, tls: { servername: HOST }, auth: { user: LOGIN, pass: PASSWORD },
});
transport
  .sendMail({
    from: { name: NAME, address: SENDER }, bcc: RECIPIENTS.split(" "), subject: SUBJECT,
    text: { path: "body.txt" }, attachments: [{ path: "bill.pdf" }],
  })
  .catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
