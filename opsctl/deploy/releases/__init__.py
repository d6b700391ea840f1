"""Earlier releases: the log of them, the restore after a failure, and the rollback on request."""
