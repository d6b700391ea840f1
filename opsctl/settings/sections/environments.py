"""Section `environments`: what each environment runs, and where."""

from opsctl.settings.section import Section, setting


class Environment(Section):
    """What one environment runs, and where."""

    compose_file: str = setting("", "Compose file; empty means docker-compose.<env>.yml.")
    host: str = setting(
        "", "ssh://user@host of a remote engine on the tailnet; empty means engine.host."
    )
    project: str = setting(
        "",
        "Name of the compose project; empty means <project.name>-<env>.",
        pattern=r"^([a-z0-9][a-z0-9_-]{0,62})?$",
    )
    profiles: tuple[str, ...] = setting(
        (), "Active compose profiles; none means those of COMPOSE_PROFILES in .env."
    )


class Environments(Section):
    """What each environment runs, and where: compose_file, host, project, profiles."""

    prod: Environment = setting(Environment(), "Production: APP_ENV=production.")
    dev: Environment = setting(Environment(), "Development: APP_ENV=development.")
    local: Environment = setting(Environment(), "Development on this machine.")

    def of(self, env: str) -> Environment:
        environment: Environment = getattr(self, env)
        return environment
