"""`opsctl test` on a real engine: what comes through, and what is handed in."""

import signal
from xml.etree import ElementTree as ET

from tests.engines.docker import BUSYBOX, REDIS
from tests.scenarios.sandbox.conftest import FOREVER, Site


def test_output_and_exit_code_come_through(site: Site) -> None:
    answer = site.sh("echo out; echo err >&2; exit 3")

    assert (answer.code, answer.out) == (3, "out\n")
    assert answer.err.startswith("err\n")
    assert f"{BUSYBOX}: failed (exit code 3)" in answer.err
    assert "memory peak" in answer.err
    assert site.containers() == []


def test_what_binary_it_says_comes_through_untouched(site: Site) -> None:
    words = ("test", "--image", BUSYBOX, "--", "printf", "\\001\\377\\000\\n")
    with site.opsctl.start(*words) as process:
        assert process.stdout is not None
        said = process.stdout.buffer.read()  # type: ignore[attr-defined]  # a text pipe has one
        process.communicate(timeout=60)

    assert said == b"\x01\xff\x00\n"


def test_output_streams_as_it_comes(site: Site) -> None:
    with site.start(f"echo first; {FOREVER}") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        still_running = process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert (first, still_running) == ("first\n", True)


def test_the_container_is_as_small_as_it_says(site: Site) -> None:
    shown = "id -u; touch /x 2>&1; touch /tmp/x && echo tmp; ls /var/run /run; cat /proc/net/dev"
    answer = site.sh(shown)

    assert answer.code == 0
    assert answer.out.startswith("65534\n")
    assert "Read-only file system" in answer.out
    assert "\ntmp\n" in answer.out
    assert "docker.sock" not in answer.out
    assert "eth0" not in answer.out


def test_as_json_the_report_is_one_document_and_the_output_is_beside_it(site: Site) -> None:
    answer = site.sh("echo out; exit 3", "--json")

    (run,) = answer.json["runs"]
    assert answer.code == 3
    assert answer.json["schema"] == "opsctl.test/1"
    assert (run["verdict"], run["exit_code"], run["last_output"]) == ("failed", 3, "out\n")
    assert run["figures"]["peak_memory_bytes"] > 0
    assert "out\n" in answer.err


def test_a_lowered_cap_is_the_one_that_counts(site: Site) -> None:
    answer = site.sh(
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null",
        environ={"OPSCTL_SANDBOX_MEMORY_MB": "32"},
    )

    assert answer.out == f"{32 << 20}\n"


def test_variables_and_mounts_are_handed_in(site: Site) -> None:
    site.opsctl.write("code/hello", "hello\n")
    words = ("--env", "A=1", "--var", "TOKEN", "--mount", "code:/code", "--workdir", "/code")

    answer = site.sh(
        'echo "$A $TOKEN $APP_ENV"; cat hello; touch x', *words, environ={"TOKEN": "t"}
    )

    assert answer.out == "1 t development\nhello\n"
    assert answer.code == 1
    assert not (site.opsctl.directory / "code/x").exists()


def test_a_mount_is_writable_only_when_asked(site: Site) -> None:
    out = site.opsctl.directory / "out"
    out.mkdir()
    out.chmod(0o777)

    answer = site.sh("echo done > /out/result", "--mount", "out:/out:rw")

    assert answer.code == 0
    assert (out / "result").read_text() == "done\n"


def test_a_secret_stands_in_no_output_of_ours(site: Site) -> None:
    answer = site.sh("true", "--var", "TOKEN", "-n", "--json", environ={"TOKEN": "c4n4ry"})

    assert answer.code == 0
    assert "c4n4ry" not in answer.out + answer.err


def test_a_dry_run_says_the_plan_and_makes_nothing(site: Site) -> None:
    answer = site.sh("true", "-n", "--with", "redis", environ={"OPSCTL_SANDBOX_REDIS_IMAGE": REDIS})

    assert answer.code == 0
    assert f"test {BUSYBOX}: 0.5 CPU, 512 MiB, 256 processes" in answer.out
    assert site.containers() == []


def test_a_matrix_leaves_with_the_first_failure_and_writes_junit(site: Site) -> None:
    file = site.opsctl.directory / "junit.xml"
    script = "test -e /usr/bin/redis-server -o -e /usr/local/bin/redis-server"

    answer = site.opsctl(
        "test", "--matrix", f"{REDIS},{BUSYBOX}", "--junit", str(file), "--", "sh", "-c", script
    )

    suite = ET.fromstring(file.read_text())[0]  # noqa: S314 - our own
    assert answer.code == 1
    assert [(case.attrib["name"], case.find("failure") is None) for case in suite] == [
        (REDIS, True),
        (BUSYBOX, False),
    ]


def test_a_kept_container_stays_with_its_log(site: Site) -> None:
    answer = site.sh("echo hello", "--keep")

    (kept,) = site.containers()
    assert answer.code == 0
    assert f"docker rm {kept}" in answer.err
    assert "hello" in site.engine.run("logs", kept)
    assert site.sh("true").code == 0
    assert site.containers() == [kept]
