#! rule_condition_not_carried: rule `Untold`: the condition `isVoicemail` is not carried: no header field tells it reliably
#! rule_off: rule `Untold`: left switched off, since without the condition it would act on more mail
# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["imap4flags"];

# Rule: But
if allof (
    header :contains "subject" "x",
    not address :is "from" "a@x"
) {
    addflag "\\Seen";
}

# Rule: But either
if allof (
    header :contains "subject" "x",
    not anyof (address :is "from" "a@x", header :contains "importance" "high")
) {
    addflag "\\Seen";
}

# Rule: Untold
# Note: the condition `isVoicemail` is not carried: no header field tells it reliably
# Note: left switched off, since without the condition it would act on more mail
# if header :contains "subject" "x" {
#     addflag "\\Seen";
# }
