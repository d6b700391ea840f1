"""Computing a missing value once: in this process, and among all processes."""
