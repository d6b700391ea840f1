"""The kit's own chance: it neither reads nor moves `random`, which belongs to the caller."""

from random import SystemRandom

# Asked of the system: forked children would otherwise all draw the same.
CHANCE = SystemRandom()
