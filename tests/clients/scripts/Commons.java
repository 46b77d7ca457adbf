import java.nio.file.*;
import java.util.*;
import org.apache.commons.mail.*;

class Commons {
    public static void main(String[] arguments) throws Exception {
        Map<String, String> given = System.getenv();
        MultiPartEmail mail = new MultiPartEmail();
        mail.setHostName(given.get("HOST"));
        mail.setSmtpPort(Integer.parseInt(given.get("PORT")));
        mail.setStartTLSRequired(true);
        mail.setSSLCheckServerIdentity(true);
        mail.setAuthentication(given.get("LOGIN"), given.get("PASSWORD"));
        mail.setCharset("UTF-8");
        mail.setFrom(given.get("SENDER"), given.get("NAME"));
        mail.addBcc(given.get("RECIPIENTS").split(" "));
        mail.setSubject(given.get("SUBJECT"));
        mail.setMsg(Files.readString(Path.of("body.txt")));
        mail.attach(new java.io.File("bill.pdf"));
        mail.send();
    }
}
