"""Other programs: started, bounded, ended."""
