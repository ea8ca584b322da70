#! rule_condition_not_carried: rule `I urgent`: the condition `importance` is not carried: its value is not known
#! rule_condition_not_carried: rule `S secret`: the condition `sensitivity` is not carried: its value is not known
#! rule_off: rule `I urgent`: left switched off, since without the condition it would act on more mail
#! rule_off: rule `S secret`: left switched off, since without the condition it would act on more mail
# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["imap4flags"];

# Rule: I low
if header :contains "importance" "low" {
    addflag "\\Seen";
}

# Rule: I normal
if not header :contains "importance" ["high", "low"] {
    addflag "\\Seen";
}

# Rule: I high
if header :contains "importance" "high" {
    addflag "\\Seen";
}

# Rule: I urgent
# Note: the condition `importance` is not carried: its value is not known
# Note: left switched off, since without the condition it would act on more mail
# if true {
#     addflag "\\Seen";
# }

# Rule: S normal
if not exists "sensitivity" {
    addflag "\\Seen";
}

# Rule: S personal
if header :contains "sensitivity" "personal" {
    addflag "\\Seen";
}

# Rule: S private
if header :contains "sensitivity" "private" {
    addflag "\\Seen";
}

# Rule: S confidential
if header :contains "sensitivity" "company-confidential" {
    addflag "\\Seen";
}

# Rule: S secret
# Note: the condition `sensitivity` is not carried: its value is not known
# Note: left switched off, since without the condition it would act on more mail
# if true {
#     addflag "\\Seen";
# }
