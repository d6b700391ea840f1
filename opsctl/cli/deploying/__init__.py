"""What the commands that deploy share: running a plan, migrating first, notifying."""
