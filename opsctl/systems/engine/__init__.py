"""What any container engine offers, whichever driver runs it."""
