"""One file for each word that can be typed after `opsctl`."""
