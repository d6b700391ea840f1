"""One compose project on one engine: planned, run, verified, and put back when it fails."""
