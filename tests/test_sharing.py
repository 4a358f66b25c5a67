"""What is made once is made once, and a failure is not kept."""

from pathlib import Path

import pytest

from sharing import once


def test_a_folder_is_filled_once_however_often_it_is_asked_for(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    name = request.node.name
    folders = [once(tmp_path_factory, name, lambda place: (place / "made").write_text("by the first")) for _ in "ab"]
    again = once(tmp_path_factory, name, lambda place: (place / "made").write_text("by another"))
    assert folders == [again, again] and (again / "made").read_text() == "by the first"


def test_what_a_failure_left_is_taken_away_before_the_next_try(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    def fail(place: Path) -> None:
        (place / "half").touch()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        once(tmp_path_factory, request.node.name, fail)
    assert [*once(tmp_path_factory, request.node.name, lambda place: None).iterdir()] == []
