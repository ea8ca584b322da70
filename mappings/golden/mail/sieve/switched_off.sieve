#! rule_in_error: rule `Error`: Outlook marked it as in error; look at it before you use it
#! rule_property_unknown: rule `New`: its property `colour` is not known
# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["imap4flags"];

# Rule: Off
# Note: switched off at the source
# if header :contains "subject" "x" {
#     addflag "\\Seen";
# }

# Rule: Error
# Note: Outlook marked it as in error; look at it before you use it
# if header :contains "subject" "y" {
#     addflag "\\Seen";
# }

# Rule: New
# Note: its property `colour` is not known
if header :contains "subject" "z" {
    addflag "\\Seen";
}
