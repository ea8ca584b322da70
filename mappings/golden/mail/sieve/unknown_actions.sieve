#! rule_action_not_carried: rule `A`: Sieve cannot mark a message with this importance
#! rule_action_not_carried: rule `A`: the action `teleport` is not known
#! rule_action_not_carried: rule `B`: Sieve cannot mark a message with this importance
#! rule_action_not_carried: rule `C`: the importance to mark with is not known
#! rule_off: rule `B`: no action is left to do
#! rule_off: rule `C`: no action is left to do
# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["imap4flags"];

# Rule: A
# Note: the action `teleport` is not known
# Note: Sieve cannot mark a message with this importance
if header :contains "subject" "x" {
    addflag "\\Seen";
}

# Rule: B
# Note: Sieve cannot mark a message with this importance
# Note: no action is left to do
# if header :contains "subject" "x" {
# }

# Rule: C
# Note: the importance to mark with is not known
# Note: no action is left to do
# if header :contains "subject" "x" {
# }
