"""An HTTP client that retries what is safe, within a deadline, a rate limit and a breaker."""
