"""Earlier releases: recorded, restored after a failure, returned to on request."""
