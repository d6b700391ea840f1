"""How results look: text, JSON, other programs' formats, progress."""
