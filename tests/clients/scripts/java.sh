# $1 is the program; the others, the packages of Java that it needs.
keytool -importcert -noprompt -alias ca -file "$CA" -keystore trusted -storepass changeit 2> /dev/null
java -Djavax.net.ssl.trustStore=trusted -Djavax.net.ssl.trustStorePassword=changeit \
  -cp "/usr/share/java/$2.jar:/usr/share/java/$3.jar" "$SCRIPTS/$1.java"
