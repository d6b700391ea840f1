from pathlib import Path

import pytest

from opsctl.errors import OpsctlError
from opsctl.wiring import ProjectLocation, Wiring


def test_a_state_directory_that_cannot_be_used_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/opsctl.yaml").write_text("project: {name: shop}\n")
    environ = {"OPSCTL_STATE_DIR": str(tmp_path / "file" / "state")}
    wiring = Wiring(ProjectLocation(str(tmp_path)), environ=environ)

    with pytest.raises(OpsctlError) as caught:
        wiring.open_store()

    assert "state.dir (OPSCTL_STATE_DIR)" in caught.value.hint
    assert str(tmp_path / "file" / "state") in caught.value.what
