import pytest

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
