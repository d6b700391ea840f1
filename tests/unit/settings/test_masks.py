import pytest

from opsctl.settings.masks import list_secret_parts, mask_value
from opsctl.settings.secret import Secret
from tests.unit.settings.conftest import Load


@pytest.mark.parametrize(
    ("secret", "seen"),
    [
        ("", ""),
        ("hush", "***"),
        ("postgresql://app:hush@db:5432/ticks", "postgresql://app:***@db:5432/ticks"),
        ("postgresql://app@db/ticks", "postgresql://app@db/ticks"),
        ("postgresql://db/ticks?password=hush", "postgresql://db/ticks?***"),
        ("postgresql://app:hu@sh@db/ticks", "postgresql://app:***@db/ticks"),
        ("redis://:hush@db:6379/0", "redis://:***@db:6379/0"),
        ("postgresql://app:hush@db:port/x", "***"),
        ("://hush", "***"),
        ("host=db password=hush", "***"),
    ],
)
def test_a_secret_shows_its_place_and_nothing_else(secret: str, seen: str) -> None:
    assert mask_value(Secret(secret)) == seen


def test_the_password_inside_a_url_is_a_secret_too_quoted_or_not() -> None:
    assert list_secret_parts("postgresql://app:hu%40sh@db/x") == (
        "postgresql://app:hu%40sh@db/x",
        "hu%40sh",
        "hu@sh",
    )


def test_nothing_explained_holds_a_secret(load_from: Load) -> None:
    environ = {"REDIS_PASSWORD": "h1dden", "DATABASE_URL": "postgresql://a:h1dden@h/d"}

    loaded = load_from(environ=environ)

    assert "h1dden" not in str(tuple(loaded.resolved.describe()))
    assert "h1dden" not in repr(loaded)
    assert "h1dden" in loaded.resolved.secrets()
