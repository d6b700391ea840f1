import json
from typing import Any

import pytest

from opsctl.systems.engine.compose_model import read_rendered
from opsctl.systems.engine.compose_secrets import DeclaredSecret, secret_values


@pytest.mark.parametrize(
    "name",
    [
        *("DB_PASSWORD", "DB_PASS", "PGPASSWORD", "ADMIN_PW", "MY_PW", "PW", "MYSQL_PWD"),
        *("AUTH", "BASIC_AUTH", "AUTHORIZATION", "PRIVATE", "JWT_PRIVATE", "API_KEY", "APIKEY"),
        *("BUILD_TOKEN", "SECRET", "SALT", "SLACK_WEBHOOK", "CREDS", "aws_secret_access_key"),
    ],
)
def test_a_value_is_secret_by_its_name(name: str) -> None:
    assert secret_values({name: "s3cret-canary"}) == ("s3cret-canary",)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "TZ",
            "MONKEY",
            "KEYBOARD",
            "KEYCLOAK_HOST",
            "AUTHOR",
            "OAUTH_SCOPE",
            "FORWARD",
            "UPWARD",
        ),
        *("DB_PASSWORD_FILE", "AUTH_METHOD", "POSTGRES_HOST_AUTH_METHOD", "TOKEN_TTL", "KEY_PATH"),
    ],
)
def test_a_name_that_only_resembles_one_is_not(name: str) -> None:
    assert secret_values({name: "trust-and-more"}) == ()


@pytest.mark.parametrize(
    "value", ["", "/", "1", "true", "e", "30", "false", "none", "12345", "default"]
)
def test_what_is_short_or_harmless_is_not_masked(value: str) -> None:
    assert secret_values({"SECRET_KEY": value}) == ()


@pytest.mark.parametrize(
    ("name", "url", "masked"),
    [
        ("BASE_URL", "http://shop.example.org/app", ()),
        ("API_URL", "https://api:8080", ()),
        ("REDIS_URL", "redis://cache:6379/0", ()),
        ("GIT_URL", "ssh://git@host/repository", ()),
        ("DB_URL", "postgres://u:s3cret-pw@db/x", ("postgres://u:s3cret-pw@db/x", "s3cret-pw")),
        ("BROKER", "amqp://u:s3cret%21@mq", ("amqp://u:s3cret%21@mq", "s3cret%21", "s3cret!")),
        ("HOOK_URL", "https://chat/services/T1/B2", ("https://chat/services/T1/B2",)),
        (
            "NOTIFY_URL",
            "https://chat/a/0123456789abcdefXY",
            ("https://chat/a/0123456789abcdefXY",),
        ),
        ("A_URL", "https://x/?token=abc", ("https://x/?token=abc",)),
        ("SENTRY", "https://0123456789abcdef@s/1", ("https://0123456789abcdef@s/1",)),
    ],
)
def test_a_url_is_secret_by_what_it_holds(name: str, url: str, masked: tuple[str, ...]) -> None:
    assert secret_values({name: url}) == masked


def test_a_password_inside_of_a_value_is_masked_whatever_the_name() -> None:
    text = "Server=db;User=sa;Password=s3cret-pw;X=1"

    assert secret_values({"ConnectionStrings__Default": text}) == (text, "s3cret-pw")


def test_a_password_that_is_a_name_of_the_project_cannot_be_hidden() -> None:
    project: dict[str, Any] = {
        "name": "shop-dev",
        "services": {
            "cache": {
                "image": "docker.io/library/postgres:17",
                "environment": {"A_PASSWORD": "postgres", "B_PASSWORD": "cache1"},
            }
        },
    }

    assert read_rendered(json.dumps(project)).secrets == ("cache1",)


def test_build_arguments_and_declared_secrets_are_known() -> None:
    project: dict[str, Any] = {
        "name": "x",
        "services": {"web": {"build": {"context": ".", "args": {"BUILD_TOKEN": "s3cret-arg"}}}},
        "secrets": {
            "a": {"name": "x_a", "file": "/run/a"},
            "b": {"name": "x_b", "environment": "B"},
            "c": {"name": "c", "external": True},
        },
    }

    rendered = read_rendered(json.dumps(project))

    assert rendered.secrets == ("s3cret-arg",)
    assert rendered.declared_secrets == (DeclaredSecret("/run/a"), DeclaredSecret("", "B"))
    assert "s3cret" not in repr(rendered)
