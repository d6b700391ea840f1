"""HTTP requests: one deadline each, addresses checked before anything is sent."""
