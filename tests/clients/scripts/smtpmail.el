(require 'smtpmail)
(with-temp-file (expand-file-name "~/.authinfo")
  (insert (format "machine %s port %s login %s password %s\n" (getenv "HOST") (getenv "PORT") (getenv "LOGIN") (getenv "PASSWORD"))))
(setq smtpmail-smtp-server (getenv "HOST") smtpmail-smtp-service (string-to-number (getenv "PORT"))
      smtpmail-stream-type 'starttls smtpmail-smtp-user (getenv "LOGIN") auth-sources '("~/.authinfo")
      user-mail-address (getenv "SENDER") gnutls-trustfiles (list (getenv "CA")) gnutls-verify-error t
      network-security-level 'low smtpmail-debug-info t)
(with-temp-buffer
  (let ((coding-system-for-read 'no-conversion)) (insert-file-contents-literally "message.eml"))
  (let ((failed (smtpmail-via-smtp (split-string (getenv "RECIPIENTS")) (current-buffer))))
    (when failed (message "%s" failed) (kill-emacs 1))))
