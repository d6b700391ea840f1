"""Section `policy`: what `opsctl check` knows about the project, and what it leaves out."""

import re

from opsctl.settings.section import Section, setting

BROKER = (
    r"(?P<name>[a-z0-9_-]+)(?P<limits>( (sockets|symbols|total_symbols|rest_per_s)=[0-9.]+)+)\Z"
)


def _limits_of_brokers(brokers: tuple[str, ...]) -> None:
    for each in brokers:
        if re.match(BROKER, each) is None:
            raise ValueError(
                f"{each!r} should be a name and limits, such as kis sockets=1 symbols=40"
            )


class Policy(Section):
    """What `opsctl check` knows about the project, and what it leaves out."""

    rules_dir: str = setting("configs/policy", "The project's own rules and exceptions.")
    baseline: str = setting("configs/policy/baseline.json", "Findings that are accepted for now.")
    disabled_rules: tuple[str, ...] = setting((), "Rules that are not checked, by id.")
    file_limit_kb: int = setting(1024, "Larger files are not read.", ge=1, le=65536)
    skip_dirs: tuple[str, ...] = setting(
        (".git", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".mypy_cache"),
        "Folders left out where git does not say what belongs to the project.",
    )
    parameter_dir: str = setting("configs", "Where parameters live.")
    open_ports: tuple[int, ...] = setting((22,), "Ports that may be reachable from anywhere.")
    open_udp_ports: tuple[int, ...] = setting(
        (68, 546), "UDP ports that may be open to anyone: DHCP, by default."
    )
    test_cpus: float = setting(0.5, "Maximum CPUs of a test container.", gt=0, le=0.5)
    test_memory_mb: int = setting(512, "Maximum MiB of a test container.", gt=0, le=512)
    kafka_clients: tuple[str, ...] = setting(
        (
            "kafka-python",
            "kafka-python-ng",
            "confluent-kafka",
            "aiokafka",
            "pykafka",
            "faust",
            "faust-streaming",
            "faust-cchardet",
            "quixstreams",
            "kafkajs",
            "node-rdkafka",
            "@confluentinc/kafka-javascript",
            "no-kafka",
        ),
        "Packages that are Kafka clients.",
    )
    kafka_images: tuple[str, ...] = setting(
        ("kafka", "redpanda", "zookeeper"), "Words in the name of an image that is Kafka."
    )
    known_addresses: tuple[str, ...] = setting(
        ("1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "1.2.3.4"),
        "Public addresses that reveal nothing about us.",
    )
    magic_dns_suffix: str = setting("ts.net", "How full names of the tailnet end.", min_length=1)
    broker_plan: str = setting(
        "configs/brokers.yaml", "Planned use of each broker: sockets, symbols, rest_per_s."
    )
    broker_limits: tuple[str, ...] = setting(
        (
            "kis sockets=1 symbols=40 rest_per_s=20",
            "kiwoom total_symbols=20000 rest_per_s=5",
            "mirae sockets=1 symbols=1000",
        ),
        "Broker limits per account: sockets, symbols per socket, total_symbols, rest_per_s.",
        check=_limits_of_brokers,
    )
    public_hosts: tuple[str, ...] = setting(
        (), "The server's public addresses: --live tries their database ports from here."
    )
    port_timeout_s: float = setting(3.0, "Longest wait for one of those ports.", gt=0, le=60)
    local_copy_label: str = setting(
        "opsctl.local-copy", "Label of containers that hold a copy of production's data."
    )
