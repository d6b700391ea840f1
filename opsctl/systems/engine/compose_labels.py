"""The labels that docker compose sets on the containers, networks and volumes that it creates."""

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
NETWORK_LABEL = "com.docker.compose.network"
CONFIG_HASH_LABEL = "com.docker.compose.config-hash"
VERSION_LABEL = "com.docker.compose.version"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
"""True on containers of `docker compose run`; compose writes True or False."""
