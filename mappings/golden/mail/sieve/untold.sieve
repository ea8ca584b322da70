#! rule_condition_not_carried: rule `categories`: the condition `categories` is not carried: a message that arrives from outside has no categories
#! rule_condition_not_carried: rule `isApprovalRequest`: the condition `isApprovalRequest` is not carried: no header field tells it reliably
#! rule_condition_not_carried: rule `isAutomaticForward`: the condition `isAutomaticForward` is not carried: no header field tells it reliably
#! rule_condition_not_carried: rule `isQuantum`: the condition `isQuantum` is not carried: it is not known
#! rule_condition_not_carried: rule `isVoicemail`: the condition `isVoicemail` is not carried: no header field tells it reliably
#! rule_condition_not_carried: rule `messageActionFlag`: the condition `messageActionFlag` is not carried: mail outside Exchange carries no such flag
#! rule_off: rule `categories`: left switched off, since without the condition it would act on more mail
#! rule_off: rule `isApprovalRequest`: left switched off, since without the condition it would act on more mail
#! rule_off: rule `isAutomaticForward`: left switched off, since without the condition it would act on more mail
#! rule_off: rule `isQuantum`: left switched off, since without the condition it would act on more mail
#! rule_off: rule `isVoicemail`: left switched off, since without the condition it would act on more mail
#! rule_off: rule `messageActionFlag`: left switched off, since without the condition it would act on more mail
# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.

# Rule: isApprovalRequest
# Note: the condition `isApprovalRequest` is not carried: no header field tells it reliably
# Note: left switched off, since without the condition it would act on more mail
# if true {
#     addflag "\\Seen";
# }

# Rule: isAutomaticForward
# Note: the condition `isAutomaticForward` is not carried: no header field tells it reliably
# Note: left switched off, since without the condition it would act on more mail
# if true {
#     addflag "\\Seen";
# }

# Rule: isVoicemail
# Note: the condition `isVoicemail` is not carried: no header field tells it reliably
# Note: left switched off, since without the condition it would act on more mail
# if true {
#     addflag "\\Seen";
# }

# Rule: messageActionFlag
# Note: the condition `messageActionFlag` is not carried: mail outside Exchange carries no such flag
# Note: left switched off, since without the condition it would act on more mail
# if true {
#     addflag "\\Seen";
# }

# Rule: categories
# Note: the condition `categories` is not carried: a message that arrives from outside has no categories
# Note: left switched off, since without the condition it would act on more mail
# if true {
#     addflag "\\Seen";
# }

# Rule: isQuantum
# Note: the condition `isQuantum` is not carried: it is not known
# Note: left switched off, since without the condition it would act on more mail
# if true {
#     addflag "\\Seen";
# }
