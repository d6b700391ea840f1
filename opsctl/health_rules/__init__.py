"""What counts as healthy: pure rules that turn measurements into findings."""
