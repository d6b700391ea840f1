"""Sends alerts to channels: each problem is reported once, and so is its end."""
