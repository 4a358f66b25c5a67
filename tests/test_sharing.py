"""What is made once is made once, and what cannot be made is tried once too."""

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


def test_a_failure_is_told_to_all_who_ask(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    def fail(place: Path) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        once(tmp_path_factory, request.node.name, fail)
    with pytest.raises(RuntimeError, match=r"could not be made:\n(?s:.*)OSError: the disk is full"):
        once(tmp_path_factory, request.node.name, lambda place: None)
