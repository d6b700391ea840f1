"""Opens each system that the settings name, and leaves it as it was."""

from opsctl.doctor.model import DoctorContext


def connect_all(context: DoctorContext) -> None:
    """Raise the first system's own error; say nothing if all answer."""
    if context.settings.redis.enabled:
        context.redis.ping()
    if context.settings.database.url.get_secret_value():
        with context.postgres.session(read_only=True) as session:
            session.facts()
