"""Section `environments`: what each environment runs, and where."""

from opsctl.settings.section import Section, setting


class Environment(Section):
    """What one environment runs, and where."""

    compose_file: str = setting("", "Compose file; empty means docker-compose.<env>.yml.")
    host: str = setting(
        "", "ssh://user@host of a remote engine, on the tailnet; empty means engine.host."
    )
    project: str = setting(
        "",
        "Compose project; empty means <project.name>-<env>.",
        pattern=r"^([a-z0-9][a-z0-9_-]{0,62})?$",
    )
    profiles: tuple[str, ...] = setting((), "Compose profiles that are switched on.")


class Environments(Section):
    """What each environment runs, and where: compose_file, host, project, profiles."""

    prod: Environment = setting(Environment(), "Production: APP_ENV=production.")
    dev: Environment = setting(Environment(), "Development: APP_ENV=development.")
    local: Environment = setting(Environment(), "As dev, on this machine.")

    def of(self, env: str) -> Environment:
        found: Environment = getattr(self, env)
        return found
