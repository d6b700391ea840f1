"""Opens each system that the settings name, and leaves it as it was."""

from opsctl.doctor.model import DoctorContext


def connect_all(patient: DoctorContext) -> None:
    """Raise the first system's own error; say nothing if all answer."""
    if patient.settings.redis.enabled:
        patient.redis.ping()
    if patient.settings.database.url.get_secret_value():
        with patient.postgres.session(read_only=True) as session:
            session.facts()
