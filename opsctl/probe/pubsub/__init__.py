"""Who subscribes to which channel, over all nodes."""
