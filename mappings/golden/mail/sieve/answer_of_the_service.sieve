# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["imap4flags"];

# Rule: A
if header :contains "subject" "x" {
    addflag "\\Seen";
}
