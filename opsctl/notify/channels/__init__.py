"""Where notifications go: a program, the journal, a webhook, mail."""
