from pathlib import Path

import pytest

from opsctl.errors import UsageError
from opsctl.init.install_source import read_install_source
from opsctl.init.model import InstallSource, SourceKind
from opsctl.systems.files.local import LocalFiles

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HASH = "a" * 64
WHEEL = "opsctl_stack-0.1.0-py3-none-any.whl"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "vendor/opsctl").mkdir(parents=True)
    (project / "wheels").mkdir()
    (project / "wheels" / WHEEL).touch()
    (tmp_path / "outside").mkdir()
    return project


def read(text: str, root: Path) -> InstallSource:
    return read_install_source(text, root, LocalFiles())


def refusal(text: str, root: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(text, root)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("text", "kind", "location"),
    [
        ("vendor/opsctl", SourceKind.CHECKOUT, "./vendor/opsctl"),
        ("./vendor//opsctl/", SourceKind.CHECKOUT, "./vendor/opsctl"),
        (f"wheels/{WHEEL}", SourceKind.WHEEL, f"./wheels/{WHEEL}"),
        ("../outside", SourceKind.CHECKOUT, "../outside"),
        (".", SourceKind.CHECKOUT, "."),
    ],
)
def test_a_relative_path_is_written_relative(
    root: Path, text: str, kind: SourceKind, location: str
) -> None:
    source = read(text, root)

    assert (source.kind, source.location) == (kind, location)


def test_an_absolute_path_below_the_project_becomes_relative(root: Path) -> None:
    assert read(str(root / "vendor/opsctl"), root).location == "./vendor/opsctl"


def test_a_path_that_begins_with_a_dash_cannot_be_an_option(root: Path) -> None:
    (root / "-r").mkdir()

    assert read("-r", root).location == "./-r"


@pytest.mark.parametrize("text", ["vendor/opsctl", f"wheels/{WHEEL}"])
def test_an_image_can_be_built_from_what_the_project_holds(root: Path, text: str) -> None:
    assert read(text, root).image_obstacle == ""


@pytest.mark.parametrize(
    ("text", "obstacle"),
    [
        ("../outside", "lies outside the project"),
        ("vendor/../../outside", "lies outside the project"),
        ("link", "lies outside the project"),
        (".", "the whole project"),
        ("what's new", "would misread"),
        ("$HOME", "would misread"),
        ("a[b]c", "would misread"),
    ],
)
def test_what_the_build_of_an_image_cannot_copy_is_named(
    root: Path, text: str, obstacle: str
) -> None:
    (root / "link").symlink_to(root.parent / "outside")
    for name in ("what's new", "$HOME", "a[b]c"):
        (root / name).mkdir()

    assert obstacle in read(text, root).image_obstacle


@pytest.mark.parametrize(
    "text", ["opsctl", "OpsCtl", "opsctl[duckdb]", "opsctl==0.1.0", "opsctl >= 0.1", "opsctl;x"]
)
def test_the_bare_name_is_somebody_elses_even_if_a_folder_has_it(root: Path, text: str) -> None:
    (root / "opsctl").mkdir()

    error = refusal(text, root)

    assert "belongs to somebody else" in error.why
    assert "./opsctl" in error.hint
    assert read("./opsctl", root).location == "./opsctl"


@pytest.mark.parametrize("text", ["opsctl-stack", "opsctl_stack", "opsctl.stack[fastapi]~=1.0"])
def test_our_own_bare_name_is_not_published(root: Path, text: str) -> None:
    assert "not published" in refusal(text, root).why


def test_any_other_name_would_be_looked_up_on_the_index(root: Path) -> None:
    assert "package index" in refusal("something", root).why


@pytest.mark.parametrize("text", ["./missing", "missing/folder", "missing.whl", "", "\t"])
def test_a_path_must_exist(root: Path, text: str) -> None:
    assert "no such" in refusal(text, root).why


def test_a_file_must_be_a_wheel(root: Path) -> None:
    (root / "notes.txt").touch()

    assert "not a wheel" in refusal("notes.txt", root).why


@pytest.mark.parametrize("name", ["a;b", "a[b]", "${{ github.token }}"])
def test_a_path_that_pip_or_ci_would_misread_is_refused(root: Path, name: str) -> None:
    (root / name).mkdir()

    assert "Rename" in refusal(f"./{name}", root).hint


@pytest.mark.parametrize("text", ["./a\0b", "./a\udc80b", "https://host/\0"])
def test_what_no_file_can_hold_is_refused(root: Path, text: str) -> None:
    assert "UTF-8" in refusal(text, root).why


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"git+https://host/o/opsctl@{COMMIT}", SourceKind.GIT),
        (f"git+https://host/o/opsctl.git@{COMMIT[:7]}#egg=opsctl-stack", SourceKind.GIT),
        (f"git+ssh://git@host/o/opsctl@{COMMIT}", SourceKind.GIT),
        ("git+https://host/o/opsctl@v1.2.3", SourceKind.GIT),
        ("git+https://host/o/opsctl@1.2.0rc1", SourceKind.GIT),
        ("git+https://host/o/opsctl@opsctl-v1.2", SourceKind.GIT),
        ("git+https://host/o/opsctl@refs/tags/anything", SourceKind.GIT),
        (f"https://host/{WHEEL}#sha256={HASH}", SourceKind.ARCHIVE),
        (f"https://host:8443/a.tar.gz#egg=x&sha256={HASH}", SourceKind.ARCHIVE),
    ],
)
def test_a_pinned_address_is_taken_as_it_is(root: Path, text: str, kind: SourceKind) -> None:
    assert read(text, root) == InstallSource(kind, text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("git+https://host/o/opsctl", "no commit or tag"),
        ("git+ssh://git@host/o/opsctl", "no commit or tag"),
        ("git+https://host/o/opsctl@", "may be a branch"),
        ("git+https://host/o/opsctl@main", "may be a branch"),
        ("git+https://host/o/opsctl@release/1.2", "may be a branch"),
        ("git+https://host/o/opsctl@1.2.x", "may be a branch"),
        ("git+https://host/o/opsctl@refs/heads/1.2.0", "may be a branch"),
        ("git+https://host/o/opsctl@refs/tags/", "may be a branch"),
        (f"https://host/{WHEEL}", "which content"),
        (f"https://host/{WHEEL}#sha256=abc", "which content"),
        (f"https://host/{WHEEL}#md5={HASH}", "which content"),
        (f"http://host/{WHEEL}#sha256={HASH}", "not supported"),
        (f"git+http://host/o/opsctl@{COMMIT}", "not supported"),
        (f"file:///host/o/opsctl@{COMMIT}", "not a complete address"),
        (f"git+https:///opsctl@{COMMIT}", "not a complete address"),
        ("git+https://host/<owner>/opsctl@<commit>", "not a complete address"),
        (f"git+https://host/o p/opsctl@{COMMIT}", "not a complete address"),
        (f"git+https://host/o\n/opsctl@{COMMIT}", "not a complete address"),
    ],
)
def test_an_address_that_may_change_is_refused(root: Path, text: str, why: str) -> None:
    assert why in refusal(text, root).why


@pytest.mark.parametrize(
    "text",
    [
        f"git+https://s3cret@host/o/opsctl@{COMMIT}",
        f"git+https://user:s3cret@host/o/opsctl@{COMMIT}",
        f"git+ssh://git:s3cret@host/o/opsctl@{COMMIT}",
        f"https://user:s3cret@host/{WHEEL}#sha256={HASH}",
        "https://user:s3cret/@host/x",
        "https://[s3cret@host/x",
    ],
)
def test_an_address_with_credentials_is_refused_without_repeating_them(
    root: Path, text: str
) -> None:
    error = refusal(text, root)

    assert "s3cret" not in f"{error.what} {error.why} {error.hint}"
