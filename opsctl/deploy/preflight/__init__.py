"""What is checked before a deploy changes anything: each check is pure, and refuses or warns."""
