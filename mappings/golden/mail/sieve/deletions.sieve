#! rule_action_not_carried: rule `Old folder`: `moveToFolder` names a folder that was not migrated; the message stays
#! rule_off: rule `Old folder`: no action is left to do
# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["fileinto"];

# Rule: Bin
if header :contains "subject" "x" {
    fileinto "Trash";
}

# Rule: Gone
if header :contains "subject" "y" {
    discard;
}

# Rule: Old folder
# Note: `moveToFolder` names a folder that was not migrated; the message stays
# Note: no action is left to do
# if header :contains "subject" "z" {
# }
