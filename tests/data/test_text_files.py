"""Texts in files are read once with what is wrong with them, whole data sets are loaded, and guesses have reasons."""

from pathlib import Path

import numpy as np

from asking import CLASSES
from sonde import data
from sonde.data.ragged import Ragged, text_of, texts
from sonde.data.sheet import text_sheet
from sonde.data.text import files as text_files
from sonde.data.text.options import Options

STRICT = data.Options(bad_share=0.5)


def folders(root: Path, count: int = 8) -> Path:
    for kind in ("good", "bad"):
        (root / kind).mkdir(parents=True)
        for number in range(count):
            (root / kind / f"{number}.txt").write_text(f"A {kind} film\nnumber {number}\n", encoding="utf-8")
    return root


def test_files_of_texts_become_a_data_set(tmp_path: Path) -> None:
    dataset = data.load(
        data.survey(str(folders(tmp_path / "set")), STRICT), STRICT, Options(least_count=1, lower=True), CLASSES
    )
    assert dataset.modality == "text" and isinstance(dataset.train.raw, Ragged)
    assert isinstance(dataset.train.inputs, Ragged) and dataset.train.inputs.dtype == np.int32
    for row, name in enumerate(dataset.train.names):
        assert text_of(dataset.train.raw[row]).startswith(f"A {dataset.train.truth[row]} film")
        assert name.startswith(str(dataset.train.truth[row]))
    assert isinstance(dataset.spec, data.TextSpec) and {"good", "bad", "film"} <= {*dataset.spec.known}
    assert any("words are told apart" in note for note in dataset.findings.notes)


def test_files_that_are_no_text_are_named_and_left_out(tmp_path: Path) -> None:
    root = folders(tmp_path / "set")
    (root / "bad" / "0.txt").write_bytes(b"a\0b")
    (root / "bad" / "1.txt").write_bytes(b" \n")
    (root / "bad" / "2.txt").write_bytes(b"an old caf\xe9 with many plain letters")
    decoded = text_files.store(data.survey(str(root), STRICT), Options(), "x")
    assert [(name, reason[:28]) for name, reason in decoded.bad] == [
        ("bad/0.txt", "is no text file: byte 1 is z"),
        ("bad/1.txt", "holds no text"),
    ]
    assert len(decoded.raw) == 14 and "2.txt is not UTF-8 at byte 10" in decoded.notes[0]


def test_an_encoding_that_was_said_holds_for_every_file_and_for_new_ones(tmp_path: Path) -> None:
    root = folders(tmp_path / "set")
    for file in root.rglob("*.txt"):
        file.write_bytes(f"映画は{file.parent.name} {file.stem} 良い".encode("shift_jis"))
    said = data.Options(encoding="shift_jis")
    dataset = data.load(data.survey(str(root), said), said, Options(least_count=1, tokens="characters"), CLASSES)
    assert isinstance(dataset.spec, data.TextSpec) and "映" in dataset.spec.known and not dataset.findings.bad_files
    (_, raw) = data.spec_from(dataset.spec.to_dict()).read(str(root / "good" / "0.txt"))
    assert isinstance(raw, Ragged) and text_of(raw[0]).startswith("映画はgood")


def test_exact_copies_have_the_same_mark_and_stay_on_one_side(tmp_path: Path) -> None:
    lines = [f"{'ny'[n % 2]} text number {n // 4 * 4 + n % 2}" for n in range(80)]
    (tmp_path / "set.txt").write_text("\n".join(lines))
    dataset = data.load(data.survey(str(tmp_path / "set.txt"), STRICT), STRICT, Options(), CLASSES)
    sides = [{text_of(side.raw[row]) for row in range(len(side))} for side in (dataset.train, dataset.test)]
    assert sides[0] and sides[1] and not sides[0] & sides[1] and dataset.findings.duplicates == 40


def test_nothing_is_guessed_from_the_data_s_own_test_split() -> None:
    words = ["plain words with blanks"] * 40 + ["x" * 300] * 40
    kinds = np.array(["a", "b"] * 40)
    splits = np.array(["train"] * 40 + ["test"] * 40)
    listing = data.Listing("a", "b", "c", kinds, kinds, splits, texts(words), modality="text")
    assert set(listing.spread(1000)) == set(range(40)) and listing.spread(2) == [0, 39]
    assert "text.tokens" not in data.guess(listing)


def test_guesses_say_why(tmp_path: Path) -> None:
    settings = data.guess(data.survey(str(folders(tmp_path / "set")), STRICT))
    assert settings["text.lower"].value is True and "text.lower=false" in settings["text.lower"].reason
    assert "text.tokens" not in settings
    assert {f"augment.{name}" for name in data.AUGMENTATIONS["text"]} <= set(settings)


def test_languages_without_blanks_are_read_by_characters(tmp_path: Path) -> None:
    lines = [f"{n % 2}\tこれは良い映画でした。とても楽しかったですからまた見ます。{n}" for n in range(12)]
    (tmp_path / "set.txt").write_text("\n".join(lines), encoding="utf-8")
    settings = data.guess(data.survey(str(tmp_path / "set.txt"), STRICT))
    assert settings["text.tokens"].value == "characters"


def test_a_sheet_shows_the_tokens_and_nothing_that_cannot_be_printed() -> None:
    assert text_sheet([["the", "?", "film"], ["a\x1b", "b"]], ["y", "n"]) == "y\tthe|?|film\nn\ta?|b\n"
