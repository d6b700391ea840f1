"""Is everything there that opsctl stands on? All checks side by side, each with its way out."""
