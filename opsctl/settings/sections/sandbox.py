"""Section `sandbox`: the limits of a test, and the images it runs in."""

from opsctl.settings.section import Section, setting


class Sandbox(Section):
    """The limits of a test, and the images it runs in; the first three may only be lowered."""

    cpus: float = setting(0.5, "Processors of one test container; never above 0.5.", ge=0.01)
    memory_mb: int = setting(
        512, "MiB of memory of one test container, swap included; never above 512.", ge=16
    )
    processes: int = setting(
        256, "Processes and threads of one test container; never above 256.", ge=8
    )
    tmp_mb: int = setting(
        256, "MiB of each folder a test may write to; it is memory, and counts as such.", ge=1
    )
    writable: tuple[str, ...] = setting(
        ("/tmp",),  # noqa: S108 - of the container
        "Folders a test may write to, empty at the start and gone at the end.",
    )
    user: str = setting(
        "65534:65534",
        "Whom tests run as, e.g. 1000:1000 or a name that the image knows; never root.",
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$",
    )
    image: str = setting("", "Image that tests run in when neither flag names one.")
    service: str = setting("test", "Compose service that is run when there is no image either.")
    network: str = setting(
        "none", "none, or a network of the compose project that tests join (never in prod)."
    )
    timeout_s: float = setting(
        900.0, "How long a test may run; --timeout overrides it.", gt=0, le=86400
    )
    grace_s: float = setting(
        5.0, "How long it may clean up after TERM before it is killed.", ge=0, le=600
    )
    output_mb: int = setting(64, "MiB of its output that are shown; the rest is dropped.", ge=1)
    output_mb_per_s: float = setting(
        16.0,
        "MiB of its output a second that are taken; a command that writes faster has to wait.",
        gt=0,
    )
    postgres_image: str = setting("postgres:17-alpine", "Image of --with postgres.", min_length=1)
    timescale_image: str = setting(
        "timescale/timescaledb:2.19.3-pg17", "Image of --with timescale.", min_length=1
    )
    redis_image: str = setting("redis:8.0.2", "Image of --with redis.", min_length=1)
    service_wait_s: float = setting(
        120.0, "Longest wait until a service of --with is ready.", gt=0, le=3600
    )
