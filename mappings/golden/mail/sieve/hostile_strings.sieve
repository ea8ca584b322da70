# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["fileinto"];

# Rule: Quote " and \ and line
if header :contains "subject" ["a\"b\\c", "x\"; } discard; #", "line  break", "nul "] {
    fileinto "Archive/2024";
}
