"""The Docker Engine and docker compose."""
