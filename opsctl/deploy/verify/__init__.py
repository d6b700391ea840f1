"""Whether what was started is healthy, and the data behind it fresh."""
