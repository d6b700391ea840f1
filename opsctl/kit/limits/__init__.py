"""Rate limits that any number of processes share through Redis."""
