mkdir -p .emacs.d
emacs --batch -Q -l "$SCRIPTS/smtpmail.el"
