"""The channels that messages are sent to: a program, the journal, a webhook, mail."""
