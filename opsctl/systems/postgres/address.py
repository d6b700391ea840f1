"""The address of a PostgreSQL server: its parameters checked, and shown without the password."""

from collections.abc import Mapping

from opsctl.errors import SettingsError

KEEPALIVE = {
    "application_name": "opsctl",
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}


def check_parameters(parameters: dict[str, str]) -> dict[str, str]:
    """Refuse an invalid address; it is not shown, as it may contain the password."""
    # A password with an unescaped @ or / slides into the host, the port or the database.
    slid = "@" in _told(parameters, "host") + _told(parameters, "dbname") or not all(
        port.isdecimal() for port in _told(parameters, "port").split(",") if port
    )
    if not parameters or slid:
        raise SettingsError(
            "cannot read the address of PostgreSQL",
            why="it is neither a URL nor a DSN",
            hint="Write postgresql://user:password@host:5432/database, special characters as %40.",
        )
    return parameters


def format_address(parameters: Mapping[str, str]) -> str:
    """Format host:port/database, never the password."""
    hosts = _told(parameters, "host", "hostaddr").split(",")
    ports = _told(parameters, "port").split(",")
    ends = [
        f"{_bracketed(host) or 'localhost'}:{ports[i if len(ports) > 1 else 0] or 5432}"
        for i, host in enumerate(hosts)
    ]
    return f"{','.join(ends)}/{_told(parameters, 'dbname', 'user') or _login()}"


def _login() -> str:
    import getpass  # noqa: PLC0415 - few addresses leave it open

    return getpass.getuser()


def _told(parameters: Mapping[str, str], *keys: str) -> str:
    return next((parameters[key] for key in keys if parameters.get(key)), "")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
