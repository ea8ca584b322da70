# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["fileinto"];

# Rule: Newsletters
if allof (
    header :contains "subject" ["news", "actualité"],
    header :contains "from" "list@x",
    header :contains ["to", "cc"] "me+news"
) {
    fileinto "Listes";
    stop;
}
