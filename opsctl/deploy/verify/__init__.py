"""Checks that what was started is healthy, and that its data is current."""
