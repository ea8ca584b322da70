#! rule_action_not_carried: rule `All`: an address to send to is no SMTP address
#! rule_action_not_carried: rule `All`: the category ` ` has no keyword
#! rule_approximated: rule `All`: `forwardAsAttachmentTo` is told as a redirect, which keeps the first sender
#! rule_approximated: rule `All`: `forwardTo` is told as a redirect, which keeps the first sender
# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["copy", "fileinto", "imap4flags"];

# Rule: All
# Note: the category ` ` has no keyword
# Note: `forwardTo` is told as a redirect, which keeps the first sender
# Note: an address to send to is no SMTP address
# Note: `forwardAsAttachmentTo` is told as a redirect, which keeps the first sender
if header :contains "subject" "x" {
    addflag "\\Seen";
    addflag "$Important";
    addflag "Blue_category";
    fileinto :copy "Listes";
    redirect :copy "r@x";
    redirect :copy "f@x";
    redirect :copy "g@x";
    fileinto "Archive/2024";
    stop;
}
