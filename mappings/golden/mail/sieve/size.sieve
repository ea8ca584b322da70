#! rule_condition_not_carried: rule `None`: the condition `withinSizeRange` is not carried: its bounds cannot be read
#! rule_off: rule `None`: left switched off, since without the condition it would act on more mail
# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["imap4flags"];

# Rule: Big
if not size :under 1000K {
    addflag "\\Seen";
}

# Rule: Small
if not size :over 5K {
    addflag "\\Seen";
}

# Rule: Between
if allof (not size :under 1K, not size :over 5K) {
    addflag "\\Seen";
}

# Rule: None
# Note: the condition `withinSizeRange` is not carried: its bounds cannot be read
# Note: left switched off, since without the condition it would act on more mail
# if true {
#     addflag "\\Seen";
# }
