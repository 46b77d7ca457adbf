const { HOST, PORT, LOGIN, PASSWORD, NAME, SENDER, RECIPIENTS, SUBJECT } = process.env;
const transport = require("nodemailer").createTransport({
  host: HOST, port: PORT, requireTLS: true, auth: { user: LOGIN, pass: PASSWORD },
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
