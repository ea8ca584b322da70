# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
