import jakarta.mail.*;
import jakarta.mail.internet.*;
import java.nio.file.*;
import java.util.*;

class Jakarta {
    public static void main(String[] arguments) throws Exception {
        Map<String, String> given = System.getenv();
        Properties properties = new Properties();
        properties.put("mail.smtp.auth", "true");
        properties.put("mail.smtp.starttls.required", "true");
        properties.put("mail.smtp.starttls.enable", "true");
        properties.put("mail.smtp.ssl.checkserveridentity", "true");
        Session session = Session.getInstance(properties);
        MimeMessage message = new MimeMessage(session);
        message.setFrom(new InternetAddress(given.get("SENDER"), given.get("NAME"), "UTF-8"));
        message.setSubject(given.get("SUBJECT"), "UTF-8");
        MimeBodyPart text = new MimeBodyPart(), bill = new MimeBodyPart();
        text.setText(Files.readString(Path.of("body.txt")), "UTF-8");
        bill.attachFile("bill.pdf");
        message.setContent(new MimeMultipart(text, bill));
        message.saveChanges();
        Address[] recipients = InternetAddress.parse(given.get("RECIPIENTS").replace(' ', ','));
        try (Transport transport = session.getTransport("smtp")) {
            transport.connect(given.get("HOST"), Integer.parseInt(given.get("PORT")), given.get("LOGIN"), given.get("PASSWORD"));
            transport.sendMessage(message, recipients);
        }
    }
}
