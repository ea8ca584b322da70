#! rule_condition_not_carried: rule `X500`: the condition `fromAddresses` is not carried: an address in it is no SMTP address
#! rule_off: rule `X500`: left switched off, since without the condition it would act on more mail
# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["copy", "fileinto", "imap4flags"];

# Rule: From boss
if address :is "from" "boss@x.fr" {
    addflag "Direction";
    addflag "Deja_vu~54yp0n9p";
}

# Rule: To list
if address :is ["to", "cc"] ["l@x", "m@x"] {
    fileinto :copy "Archive/2024";
}

# Rule: X500
# Note: the condition `fromAddresses` is not carried: an address in it is no SMTP address
# Note: left switched off, since without the condition it would act on more mail
# if true {
#     addflag "\\Seen";
# }
