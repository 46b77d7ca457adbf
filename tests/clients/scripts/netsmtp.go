package main

import (
	"bytes"
	"log"
	"net/smtp"
	"os"
	"strings"
)

func main() {
	message, err := os.ReadFile("message.eml")
	if err != nil {
		log.Fatal(err)
	}
	message = bytes.ReplaceAll(message, []byte("\n"), []byte("\r\n"))
	auth := smtp.PlainAuth("", os.Getenv("LOGIN"), os.Getenv("PASSWORD"), os.Getenv("HOST"))
	server := os.Getenv("HOST") + ":" + os.Getenv("PORT")
	err = smtp.SendMail(server, auth, os.Getenv("SENDER"), strings.Fields(os.Getenv("RECIPIENTS")), message)
	if err != nil {
		log.Fatal(err)
	}
}
