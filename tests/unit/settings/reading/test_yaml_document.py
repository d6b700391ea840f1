import pytest

from opsctl.errors import SettingsError
from opsctl.settings.reading.yaml_document import MappingNode, parse_document, to_plain_value


def test_every_value_knows_its_line() -> None:
    document = parse_document("redis:\n  host: a\n\n  port: 1\n", "configs/dev.yaml")

    redis = document.children["redis"]

    assert isinstance(redis, MappingNode)
    assert [str(place) for place in redis.keys.values()] == [
        "configs/dev.yaml:2",
        "configs/dev.yaml:4",
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("22:22", "22:22"),
        ("on", "on"),
        ("yes", "yes"),
        ("0o17", "0o17"),
        ("017", "017"),
        ("1_000", 1000),
        ("1e3", 1000.0),
        ("-5", -5),
        ("true", True),
        ("~", None),
        ("", None),
        ("'7'", "7"),
        ("9" * 5000, "9" * 5000),
        ("[1, a]", [1, "a"]),
    ],
)
def test_a_scalar_is_what_its_writer_saw(written: str, meant: object) -> None:
    document = parse_document(f"key: {written}\n", "x")

    assert to_plain_value(document) == {"key": meant}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\n\n"])
def test_an_empty_file_is_an_empty_mapping(text: str) -> None:
    assert to_plain_value(parse_document(text, "x")) == {}


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "x:1: anchors and aliases are not read"),
        ("a: *b\n", "x:1: anchors and aliases are not read"),
        ("a:\n  - !!python/object:os.system x\n", "x:2: tags such as"),
        ("a: 1\nb: 2\na: 3\n", "x:3: a is set twice"),
        ("a: 1\n--- \nb: 2\n", "x:2: a second document starts here"),
        ("- a\n", "x:1: settings are a mapping"),
        ("a: [1\nb: 2\n", "x:2: this is not YAML"),
        ("a:\n\tb: 1\n", "x:2: this is not YAML"),
        ("? [a]\n: b\n", "x:1: a key is a plain word"),
        ("a: " + "[" * 50 + "]" * 50, "x:1: nested deeper"),
        ("a: " + "[" * 100_000, "x:1: nested deeper"),
        ("a: 1\x07\n", "x is not YAML"),
    ],
)
def test_what_settings_have_no_use_for_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_document(text, "x")

    assert caught.value.what.startswith(said)


def test_a_huge_file_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(SettingsError, match="too large"):
        parse_document("#" * 1_000_001, "x")
