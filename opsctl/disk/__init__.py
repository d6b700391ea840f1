"""How full the disks are, where that leads, and which raw logs go."""
