# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["imap4flags"];

# Rule: All mail
if true {
    addflag "\\Seen";
}

# Rule: No conditions
if true {
    addflag "\\Seen";
}
