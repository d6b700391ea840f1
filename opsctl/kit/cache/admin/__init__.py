"""The cache as `opsctl cache` sees it: statistics, health, keys and removal."""
