#! rule_action_not_carried: rule `Bin`: `delete` names a folder that was not migrated; the message stays
#! rule_off: rule `Bin`: no action is left to do
# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.

# Rule: Bin
# Note: `delete` names a folder that was not migrated; the message stays
# Note: no action is left to do
# if header :contains "subject" "x" {
# }
