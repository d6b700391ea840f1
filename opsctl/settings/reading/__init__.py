"""From files, variables and flags to checked values that know their origin."""
