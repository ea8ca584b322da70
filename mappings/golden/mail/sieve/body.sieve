# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["body", "imap4flags"];

# Rule: Body
if body :text :contains "facture" {
    addflag "\\Seen";
}

# Rule: Either
if anyof (header :contains "subject" ["devis", "offre"], body :text :contains ["devis", "offre"]) {
    addflag "\\Seen";
}
