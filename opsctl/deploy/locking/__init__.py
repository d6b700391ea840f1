"""Who may change an environment: the lock of a running deploy, and the lock that a person sets."""
