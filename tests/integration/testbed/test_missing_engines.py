import pytest

from tests.engines.docker import is_expected
from tests.engines.require import ENGINES, REQUIRED_VARIABLE, give_up, required_engines


@pytest.mark.parametrize("listed", ["", "redis", "docker, timescale"])
def test_a_missing_server_skips_by_name(monkeypatch: pytest.MonkeyPatch, listed: str) -> None:
    monkeypatch.setenv(REQUIRED_VARIABLE, listed)

    with pytest.raises(pytest.skip.Exception, match="postgres: nobody home"):
        give_up("postgres", "nobody home")


def test_a_required_server_that_is_missing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REQUIRED_VARIABLE, "redis, postgres")

    with pytest.raises(pytest.fail.Exception, match="postgres: nobody home"):
        give_up("postgres", "nobody home")


def test_every_engine_can_be_required() -> None:
    assert required_engines(",".join(ENGINES)) == set(ENGINES)


def test_a_misspelt_requirement_is_refused() -> None:
    with pytest.raises(pytest.UsageError, match="names postgers; known are docker"):
        required_engines("redis,postgers")


@pytest.mark.parametrize(
    ("version", "expected"),
    [("29.0.0+moby.2.0.0\n", "29"), ("20.10.24+dfsg1", "20.10"), ("28.5.2", "")],
)
def test_an_engine_is_known_by_the_beginning_of_its_version(version: str, expected: str) -> None:
    assert is_expected(version, expected)


@pytest.mark.parametrize(("version", "expected"), [("20.10.24", "29"), ("2.1", "20"), ("", "29")])
def test_an_engine_of_another_version_is_not_the_expected_one(version: str, expected: str) -> None:
    assert not is_expected(version, expected)
