"""The entry point of a capped container: reports its caps from inside, then runs the command.

It is PID 1 and uses shell builtins alone, because it must work where nothing can be forked.
Its standard input takes our requests: `go MARK` starts the command, the name of a signal is sent
to every process but PID 1, and the end of input (we are dead) kills them all. Its own final report
is on standard error behind MARK, which the command does not know.
"""

from collections.abc import Mapping

SHELL = "/bin/sh"
RUN_FOLDER = "/run/opsctl"
READY = b"ready\n"
STOP, KILL = b"TERM\n", b"KILL\n"

_V1 = "/sys/fs/cgroup"
# Read whole before the command starts; of two longer files only the relevant lines are printed.
BEFORE = (
    "/proc/net/route",
    "/proc/net/ipv6_route",
    "/proc/swaps",
    f"{_V1}/memory/memory.limit_in_bytes",
    f"{_V1}/memory/memory.memsw.limit_in_bytes",
    f"{_V1}/cpu/cpu.cfs_quota_us",
    f"{_V1}/cpu/cpu.cfs_period_us",
    f"{_V1}/pids/pids.max",
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory.swap.max",
    "/sys/fs/cgroup/cpu.max",
    "/sys/fs/cgroup/pids.max",
)
AFTER = (
    f"{RUN_FOLDER}/shell-messages",
    f"{_V1}/memory/memory.max_usage_in_bytes",
    f"{_V1}/memory/memory.oom_control",
    f"{_V1}/cpuacct/cpuacct.usage",
    f"{_V1}/cpu/cpu.stat",
    f"{_V1}/pids/pids.events",
    f"{_V1}/pids/pids.peak",
    "/sys/fs/cgroup/memory.peak",
    "/sys/fs/cgroup/memory.events",
    "/sys/fs/cgroup/cpu.stat",
    "/sys/fs/cgroup/pids.events",
    "/sys/fs/cgroup/pids.peak",
)

# The shell reports a child that a signal ended in `shell-messages`: an exit code of 137 alone could
# also be `exit 137`. The command is a foreground job, or it would ignore SIGINT for good.
SCRIPT = f"""
show() {{
  for file do
    [ -r "$file" ] || continue
    printf 'file %s\\n' "$file"
    while IFS= read -r line || [ -n "$line" ]; do printf '+%s\\n' "$line"; done <"$file"
  done
}}
few() {{
  printf 'file %s\n' "$1"
  while IFS= read -r line; do
    case $line in Uid:*|NoNewPrivs:*|Cap???:*|*' / / '*|*.sock*) printf '+%s\n' "$line" ;; esac
  done <"$1"
}}
few /proc/self/status
few /proc/self/mountinfo
show {" ".join(BEFORE)}
printf 'ready\\n'
read -r word mark || exit 125
[ "$word" = go ] || exit 125
exec 3>&2 4<&0 2>{RUN_FOLDER}/shell-messages
(
  while read -r word <&4; do kill -"$word" -1; done
  kill -KILL -1
) 2>/dev/null 3>&- &
( exec </dev/null 2>&3 3>&- 4<&-; exec "$@" )
code=$?
exec 2>&3 4<&-
{{ printf '\\000%s\\n%s\\n' "$mark" "$code"; show {" ".join(AFTER)}; }} >&3
exit "$code"
"""


def entry(mark: str = "opsctl") -> list[str]:
    """Build the entry point of a container; its arguments are the command."""
    return [SHELL, "-c", SCRIPT, mark]


def go(mark: str) -> bytes:
    return f"go {mark}\n".encode()


def last_words(mark: str) -> bytes:
    """Build the line that starts the final report."""
    return b"\0" + mark.encode() + b"\n"


def read_shown(text: str) -> Mapping[str, str]:
    """Read what `show` printed: the text of each file that existed."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("file "):
            lines = found.setdefault(line.removeprefix("file "), [])
        elif line.startswith("+"):
            lines.append(line[1:])
    return {name: "\n".join(lines) for name, lines in found.items()}
