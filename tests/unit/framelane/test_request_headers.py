from pathlib import Path

import pytest

from framelane.request_headers import request_headers
from streams.contract.errors import SettingError


def test_values_come_from_the_environment_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abc\n")
    found = request_headers(["Authorization=HOOK"], [f"X-Api-Key={tmp_path}/key"], environ={"HOOK": "Bearer a=b"})
    assert found == {"Authorization": "Bearer a=b", "X-Api-Key": "abc"}


@pytest.mark.parametrize(
    ("by_env", "by_file", "message"),
    [
        (["Bearer s3cr3t"], [], "--header-env: expected NAME=VAR"),
        (["Authorization="], [], "--header-env: expected NAME=VAR"),
        (["Authorization=s3cr3t"], [], "no variable of that name"),
        ([], ["Authorization=/s3cr3t"], "--header-file Authorization=.*: cannot read that file: No such file"),
    ],
)
def test_what_is_wrong_is_said_and_no_value_shown(by_env: list[str], by_file: list[str], message: str) -> None:
    with pytest.raises(SettingError, match=message) as error:
        request_headers(by_env, by_file, environ={})
    assert "s3cr3t" not in str(error.value)
