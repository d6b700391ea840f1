"""What a new project needs, written without overwriting anything."""
