"""One Redis client for a service: it fails at once while Redis is unavailable, and reconnects."""
