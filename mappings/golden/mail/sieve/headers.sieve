#! rule_condition_not_carried: rule `Broken`: the condition `headerContains` is not carried: its values cannot be read
#! rule_condition_not_carried: rule `No field`: the condition `headerContains` is not carried: Sieve cannot search all header fields at once
#! rule_off: rule `Broken`: left switched off, since without the condition it would act on more mail
#! rule_off: rule `No field`: left switched off, since without the condition it would act on more mail
# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["imap4flags"];

# Rule: List id
if anyof (header :contains "List-Id" "rust", header :contains "X-Spam" "yes") {
    addflag "\\Seen";
}

# Rule: No field
# Note: the condition `headerContains` is not carried: Sieve cannot search all header fields at once
# Note: left switched off, since without the condition it would act on more mail
# if true {
#     addflag "\\Seen";
# }

# Rule: Broken
# Note: the condition `headerContains` is not carried: its values cannot be read
# Note: left switched off, since without the condition it would act on more mail
# if true {
#     addflag "\\Seen";
# }
