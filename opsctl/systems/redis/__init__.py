"""Redis: connections, pools, pub/sub."""
