# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["imap4flags"];

# Rule: First
if header :contains "subject" "a" {
    addflag "\\Seen";
}

# Rule: Second
if header :contains "subject" "b" {
    addflag "\\Seen";
}

# Rule: Last
if header :contains "subject" "c" {
    addflag "\\Seen";
}
