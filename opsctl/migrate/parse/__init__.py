"""What a migration file asks for: directives, variables, places in the text."""
