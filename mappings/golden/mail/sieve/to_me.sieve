# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["comparator-i;ascii-numeric", "envelope", "imap4flags", "relational", "variables"];

set "dollar" "$";

# "me" is the address the message was delivered to.
if envelope :matches "to" "*" {
    set "me" "${1}";
}

# Rule: To me
if address :is "to" "${me}" {
    addflag "\\Seen";
}

# Rule: Cc me
if address :is "cc" "${me}" {
    addflag "\\Seen";
}

# Rule: Only me ${x}
if allof (
    allof (address :is "to" "${me}", address :count "eq" :comparator "i;ascii-numeric" ["to", "cc"] "1"),
    header :contains "subject" "price ${dollar}{me}"
) {
    addflag "\\Seen";
}

# Rule: Not me
if not address :is ["to", "cc"] "${me}" {
    addflag "\\Seen";
}

# Rule: Either
if address :is ["to", "cc"] "${me}" {
    addflag "\\Seen";
}
