"""A capped container in the engine's words."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from opsctl.systems.docker.capped_entrypoint import READY, go, last_words, read_shown
from opsctl.systems.docker.capped_runner import read_image_facts, read_resource_sample
from opsctl.systems.docker.capped_spec import create_config
from opsctl.systems.docker.capped_stream import Frames
from opsctl.systems.engine.capped_container import (
    BindMount,
    CappedLimits,
    CappedSpec,
    ImageFacts,
    OutputPiece,
    OutputStream,
    ResourceSample,
)

SPEC = CappedSpec(
    "t",
    "app:1",
    CappedLimits(0.25, 64 << 20, 32, 8 << 20),
    "1000:1000",
    ("pytest", "-q"),
    environment={"A": "1"},
    binds=(BindMount(Path("/srv"), "/work"), BindMount(Path("/out"), "/out", writable=True)),
)


def test_every_cap_is_passed_to_the_engine() -> None:
    host = create_config(SPEC)["HostConfig"]

    assert (host["NanoCpus"], host["PidsLimit"]) == (250_000_000, 32)
    assert host["Memory"] == host["MemorySwap"] == 64 << 20
    assert host["ReadonlyRootfs"] is True
    assert host["Privileged"] is False
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["NetworkMode"] == "none"
    assert host["LogConfig"]["Type"] == "none"
    assert host["RestartPolicy"]["Name"] == "no"


def test_writable_folders_are_bounded_memory_of_the_user() -> None:
    rooms = create_config(SPEC)["HostConfig"]["Tmpfs"]

    assert set(rooms) == {"/tmp", "/run/opsctl"}  # noqa: S108 - of the container
    assert "size=8388608,uid=1000,gid=1000" in rooms["/tmp"]  # noqa: S108 - same


def test_mounts_are_read_only_unless_asked() -> None:
    mounts = create_config(SPEC)["HostConfig"]["Mounts"]

    assert [(one["Source"], one["ReadOnly"]) for one in mounts] == [("/srv", True), ("/out", False)]
    assert all(one["BindOptions"]["NonRecursive"] for one in mounts)


def test_the_command_is_the_argument_of_the_entrypoint() -> None:
    raw = create_config(SPEC)

    assert raw["Entrypoint"][0] == "/bin/sh"
    assert raw["Cmd"] == ["pytest", "-q"]
    assert (raw["OpenStdin"], raw["StdinOnce"], raw["Tty"]) == (True, True, False)


def test_no_variable_stands_in_the_printed_form() -> None:
    assert "A" not in repr(SPEC).replace("MiB", "").split("environment")[-1].split("workdir")[0]


def frame(piece: OutputPiece) -> bytes:
    return bytes([piece.stream, 0, 0, 0]) + len(piece.data).to_bytes(4, "big") + piece.data


@given(
    pieces=st.lists(
        st.builds(
            OutputPiece,
            st.sampled_from([OutputStream.OUT, OutputStream.ERROR]),
            st.binary(max_size=50),
        )
    ),
    size=st.integers(1, 40),
)
def test_frames_are_found_wherever_they_are_cut(pieces: list[OutputPiece], size: int) -> None:
    whole = b"".join(map(frame, pieces))
    frames = Frames()

    found = [
        piece for at in range(0, len(whole), size) for piece in frames.take(whole[at : at + size])
    ]

    assert found == pieces


def test_an_image_says_what_it_runs() -> None:
    raw = {
        "Id": "sha256:a",
        "Config": {"Entrypoint": ["e"], "Cmd": None, "Env": ["A=b=c"], "Volumes": {"/d": {}}},
    }

    assert read_image_facts(raw) == ImageFacts("sha256:a", ("e",), (), {"A": "b=c"}, "", ("/d",))


def test_a_sample_is_read_on_both_versions_of_cgroups() -> None:
    cpu = {
        "cpu_usage": {"total_usage": 2_000_000_000},
        "throttling_data": {"throttled_time": 500_000_000},
    }
    old = {"memory_stats": {"usage": 5, "max_usage": 9}, "cpu_stats": cpu}
    new = {"memory_stats": {"usage": 5}, "cpu_stats": cpu}

    assert read_resource_sample(old) == ResourceSample(9, 2.0, 0.5)
    assert read_resource_sample(new) == ResourceSample(None, 2.0, 0.5)
    assert read_resource_sample({"memory_stats": {}, "cpu_stats": cpu}) is None


def test_the_output_of_the_entrypoint_is_read_by_file() -> None:
    assert read_shown("file /a\n+1\n++2\nfile /b\nready\n") == {"/a": "1\n+2", "/b": ""}


def test_the_commands_of_the_entrypoint() -> None:
    assert (go("m"), last_words("m"), READY) == (b"go m\n", b"\0m\n", b"ready\n")
