"""Labels, groups and splits that stand in the names of files."""

import time
from pathlib import Path

import numpy as np
import pytest

import makers
import recordings
from sonde import data
from sonde.data.sources import patterns
from sonde.data.sources.conditions import meant
from sonde.errors import DataError

PATTERN = "{label}_{speaker}_{take}.wav"


def listed(path: Path, **options: str) -> data.Listing:
    return data.survey(str(path), data.Options(**options))


def test_a_pattern_says_which_part_of_a_name_is_what(tmp_path: Path) -> None:
    listing = listed(recordings.named(tmp_path / "set"), pattern=PATTERN, group_column="speaker", test_where="take<2")
    assert listing.modality == "audio" and len(listing) == 48 and listing.groups is not None
    for name, answer, group, split in zip(listing.names, listing.truth, listing.groups, listing.splits, strict=True):
        label, speaker, take = name.removesuffix(".wav").split("_")
        assert (answer, group, split) == (label, speaker, "test" if int(take) < 2 else "train")
    assert any("12 examples with take<2" in note for note in listing.notes)


def test_a_pattern_may_leave_out_the_ending_and_pass_over_parts(tmp_path: Path) -> None:
    listing = listed(recordings.named(tmp_path / "set"), pattern="{label}_{_}_{_}")
    assert set(listing.truth) == {"low", "high"} and listing.groups is None


def test_a_pattern_with_a_slash_reads_folders_too(tmp_path: Path) -> None:
    for kind, speaker in enumerate(("ann", "bob")):
        for take in range(3):
            recordings.save(recordings.tone(kind, take), tmp_path / "set" / speaker / "test" / f"yes-{take}.flac")
    listing = listed(tmp_path / "set", pattern="{group}/{split}/{label}-{take}.flac")
    assert set(listing.groups.tolist()) == {"ann", "bob"} and set(listing.splits) == {"test"}


def test_a_pattern_reads_names_of_images_too(tmp_path: Path) -> None:
    for number in range(4):
        makers.save(makers.picture(0, number), tmp_path / "set" / f"cat_{number}.png")
    listing = listed(tmp_path / "set", pattern="{label}_{number}.png")
    assert listing.modality == "image" and set(listing.truth) == {"cat"}


def test_files_that_do_not_fit_are_left_out_and_counted(tmp_path: Path) -> None:
    path = recordings.named(tmp_path / "set")
    recordings.save(recordings.tone(0), path / "noise.wav")
    listing = listed(path, pattern=PATTERN)
    assert len(listing) == 48 and any("1 recordings do not fit" in note for note in listing.notes)


def test_a_folder_of_names_with_labels_is_recognised_and_the_guess_is_said(tmp_path: Path) -> None:
    path = recordings.named(tmp_path / "set" / "recordings").parent
    listing = listed(path)
    assert set(listing.truth) == {"low", "high"} and listing.format == "file names with labels"
    assert any("guessed from the names, {label}_{field2}_{field3}" in note for note in listing.notes)
    grouped = listed(path, group_column="field2", test_where="field3=0|1")
    assert set(grouped.groups.tolist()) == {"ann", "bob", "cy"} and np.sum(grouped.splits == "test") == 12


def test_names_without_a_label_are_not_taken_for_data(tmp_path: Path) -> None:
    for number in range(9):
        recordings.save(recordings.tone(0, number), tmp_path / "set" / f"rec_{number:04}.wav")
    with pytest.raises(DataError, match=r"9 \.wav.*such as --set .data\.pattern"):
        listed(tmp_path / "set")


def test_groups_that_nobody_asked_for_are_only_pointed_at(tmp_path: Path) -> None:
    listing = listed(recordings.named(tmp_path / "set"), pattern=PATTERN)
    assert listing.groups is None and any("--set data.group_column=speaker" in note for note in listing.notes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pattern": "{word}_{speaker}.wav"}, r"has no \{label\}"),
        ({"pattern": "{label}_{label}.wav"}, r"holds \{label\} more than once"),
        ({"pattern": "{label_x.wav"}, "a brace too many or too few"),
        ({"pattern": "{label}_{a b}.wav"}, r"'\{a b\}' is no name of a field"),
        ({"pattern": "{label}" * 100}, "too long"),
        ({"pattern": "{label}.flac"}, "fits none of the 48 images and recordings below .*such as high_ann_0.wav"),
        ({"pattern": PATTERN, "group_column": "speakr"}, "Did you mean 'speaker'"),
        ({"pattern": PATTERN, "test_where": "tak<2"}, "no field called 'tak'. Did you mean 'take'"),
        ({"pattern": PATTERN, "test_where": "take"}, "'take' is no condition. Write it like index<5"),
        ({"pattern": PATTERN, "test_where": "speaker<2"}, "'ann' is no number; < compares numbers"),
        ({"pattern": PATTERN, "test_where": "take<two"}, "'two' is no number"),
        ({"pattern": PATTERN, "test_where": "take<0"}, "puts no example into the test split"),
        ({"pattern": PATTERN, "test_where": "take>=0"}, "puts every example into the test split"),
        ({"pattern": "{label}_{split}_{take}.wav"}, "holds ann, bob, cy; expected train, validation or test"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_cure(options: dict[str, str], words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        listed(recordings.named(tmp_path / "set"), **options)


def test_conditions_are_joined_and_compare_numbers_as_numbers() -> None:
    fields = {"index": ["2", "10", "1e1", "-3"], "who": ["a", "b", "c", "b"]}
    cases = {
        "index<5": [1, 0, 0, 1],
        "index >= 10": [0, 1, 1, 0],
        "index=10": [0, 1, 0, 0],
        "who=a|c": [1, 0, 1, 0],
        "who!=b and index<=2": [1, 0, 0, 0],
    }
    for text, wanted in cases.items():
        assert meant(text, fields, "data.test_where").tolist() == [bool(each) for each in wanted], text


def test_the_test_split_of_a_table_may_be_said_by_a_column(tmp_path: Path) -> None:
    path = makers.manifest(tmp_path / "set", columns=("path", "label", "group"))
    listing = listed(path, test_where="group=cat0|dog0")
    assert np.array_equal(listing.splits == "test", np.isin(listing.groups, ["cat0", "dog0"]))


def test_a_table_of_recordings_is_told_by_their_endings(tmp_path: Path) -> None:
    rows = []
    for number in range(4):
        file = recordings.save(recordings.tone(number % 2, number), tmp_path / "set" / f"{number}.wav")
        rows.append({"file": file.name, "label": "ab"[number % 2], "speaker": "cd"[number // 2]})
    listing = listed(makers.write_table(tmp_path / "set" / "list.csv", rows))
    assert listing.modality == "audio" and listing.groups.tolist() == ["c", "c", "d", "d"]


def test_class_folders_of_recordings_are_recognised(tmp_path: Path) -> None:
    listing = listed(recordings.class_folders(tmp_path / "set"))
    assert listing.modality == "audio" and set(listing.truth) == {"low", "high"} and len(listing) == 20
    assert "2 folders of recordings (high, low)" in listing.reason


def test_a_long_name_that_does_not_fit_costs_no_time() -> None:
    # A regular expression with as many open places would try them all.
    pattern = patterns.parse("{label}_" + "_".join(f"{{f{number}}}" for number in range(14)) + "_x.wav")
    began = time.process_time()
    assert pattern.values("_" * 4000 + ".wav") is None and pattern.values("a_" * 2000 + ".wav") is None
    assert time.process_time() - began < 0.1
