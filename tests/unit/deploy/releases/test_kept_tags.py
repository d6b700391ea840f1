import pytest

from opsctl.deploy.releases.kept_tags import find_owner, kept_name

ID = "sha256:0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("shop-prod-web", "shop-prod-web:opsctl-shop-0123456789ab"),
        ("host:5000/app:1", "host:5000/app:opsctl-shop-0123456789ab"),
        ("redis@sha256:ffff", "redis:opsctl-shop-0123456789ab"),
        (ID, "kept:opsctl-shop-0123456789ab"),
    ],
)
def test_a_kept_image_has_a_tag_beside_its_name_which_names_the_project(
    name: str, kept: str
) -> None:
    assert kept_name(ID, name, owner="shop") == kept
    assert find_owner(kept) == "shop"


@pytest.mark.parametrize(
    "name", ["redis:8", "app:opsctl-1.2.3", "app:opsctl-0123456789ab", "app", "host:5000/app"]
)
def test_a_tag_that_somebody_else_chose_belongs_to_no_project(name: str) -> None:
    assert find_owner(name) is None
