"""Texts become numbers: learned from training texts alone, saved with the model, refused where tampered with."""

import json
from pathlib import Path

import numpy as np
import pytest

from sonde.data.listing import Listing
from sonde.data.ragged import Ragged, texts
from sonde.data.text import spec as text
from sonde.data.text.options import Options
from sonde.data.text.spec import TextSpec
from sonde.errors import DataError, ModelError

WORDS = ["the good film", "the bad film", "a good good day"]


def learned(words: list[str], **options: object) -> TextSpec:
    raw = texts(words)
    answers = np.array(["x"] * len(words))
    listing = Listing("a", "b", "c", answers, answers, answers, raw, modality="text")
    return text.learn(raw, listing, Options(**options))


def rows(spec: TextSpec, words: list[str]) -> list[list[int]]:
    encoded = spec.encode(texts(words))
    assert isinstance(encoded, Ragged) and encoded.dtype == np.int32
    return [encoded[row].tolist() for row in range(len(encoded))]


def test_the_most_frequent_words_have_the_first_numbers_and_others_are_unknown() -> None:
    spec = learned(WORDS, least_count=2)
    assert spec.known == ("good", "film", "the") and spec.cardinalities == (5,)
    assert rows(spec, ["the film", "a film"]) == [[4, 3], [1, 3]]


def test_capital_letters_are_others_unless_asked() -> None:
    assert rows(learned(WORDS, least_count=2), ["The film"]) == [[1, 3]]
    assert rows(learned(WORDS, least_count=2, lower=True), ["The film"]) == [[4, 3]]


def test_a_text_loses_what_is_behind_the_length() -> None:
    assert rows(learned(WORDS, least_count=1, length=2), ["good film good"]) == [[2, 3]]


def test_the_length_keeps_all_but_the_longest_texts_whole() -> None:
    words = ["word " * 10] * 199 + ["word " * 500]
    spec = learned(words)
    assert 10 <= spec.length <= 16
    remarks = text.remarks(spec, texts(words))
    assert "1 of 200 training texts (0.5%) are longer than text.length = 16 and lose their end" in remarks[1]


def test_a_text_without_tokens_is_one_unknown_token() -> None:
    assert rows(learned(WORDS), ["", " \n"]) == [[1], [1]]


def test_a_batch_is_filled_up_with_zeros_to_one_of_few_lengths() -> None:
    spec = learned(WORDS, least_count=1, length=64)
    encoded = spec.encode(texts(["good", "the good film " * 4]))
    prepared = spec.prepare(encoded)
    assert prepared.shape == (2, 16) and prepared.dtype == np.int32
    assert prepared[0, 1:].tolist() == [0] * 15 and (prepared[1, :12] > 0).all()
    out = np.full((2, 24), 9, dtype=np.int32)
    assert spec.prepare(encoded, out) is out and out[0, 1:].tolist() == [0] * 23


@pytest.mark.parametrize("kind", ["words", "characters", "byte-pair"])
def test_a_saved_spec_numbers_texts_alike(kind: str) -> None:
    if kind == "byte-pair":
        pytest.importorskip("tokenizers", reason="byte pairs need the extra [text]")
    spec = learned(WORDS, tokens=kind, least_count=1, vocabulary=270)
    again = TextSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    words = ["the good day", "naïve 日本", "", "a\nb"]
    assert rows(again, words) == rows(spec, words)
    pieces = spec.pieces(texts(words))
    assert [len(row) for row in pieces] == [len(row) for row in rows(spec, words)]


def test_pieces_are_the_words_that_the_model_tells_apart() -> None:
    assert learned(WORDS, least_count=2, lower=True).pieces(texts(["The new film"])) == [["the", "?", "film"]]


def test_byte_pairs_of_any_script_leave_a_description_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tokenizers", reason="byte pairs need the extra [text]")
    monkeypatch.setattr(text, "LARGEST_WORDS", 12_000)
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("абвгдежз"), 7)) for _ in range(200)]
    spec = learned([" ".join(words)] * 3, tokens="byte-pair", vocabulary=2000)
    assert 256 < len(spec.known) < 2000 and len(json.dumps(spec.to_dict())) < 12_000 + 500
    assert TextSpec.from_dict(spec.to_dict()) == spec and rows(spec, words[:1])[0]


def test_pieces_of_byte_pairs_are_readable() -> None:
    pytest.importorskip("tokenizers", reason="byte pairs need the extra [text]")
    spec = learned(["good film"] * 5, tokens="byte-pair", vocabulary=300)
    assert spec.pieces(texts(["good film €"])) == [[" good", " film", " ", "\ufffd", "\ufffd", "\ufffd"]]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"vocabulary": "a\na"}, "2 tokens in its vocabulary, 1 different ones"),
        ({"vocabulary": "a\n\nb"}, "a token of its vocabulary is empty"),
        ({"length": 10**9}, "length"),
        ({"joins": "x y"}, "its joins name what is no token"),
        ({"tokens": "letters"}, "tokens"),
        ({"more": 1}, "more"),
        ({"vocabulary": "\n".join(map(str, range(70_000)))}, "70,000 tokens"),
    ],
)
def test_a_damaged_spec_is_refused(change: dict[str, object], reason: str) -> None:
    values = {**learned(WORDS, least_count=1).to_dict(), **change}
    with pytest.raises(ModelError, match="text preprocessing is damaged") as caught:
        TextSpec.from_dict(values)
    assert reason in str(caught.value)


def test_joins_of_words_are_refused() -> None:
    values = {**learned(["a b ab"] * 2).to_dict(), "joins": "a b"}
    with pytest.raises(ModelError, match="its joins are for byte pairs, and it has words"):
        TextSpec.from_dict(values)


def test_a_vocabulary_that_would_not_fit_in_a_model_loses_its_rarest_tokens() -> None:
    long = [f"{number:05}" + "ж" * 55 for number in range(20_000)]
    spec = learned([" ".join(long)], least_count=1, vocabulary=20_000)
    assert 0 < len(spec.known) < 20_000 and len(json.dumps(spec.to_dict())) < 4_000_000
    assert TextSpec.from_dict(spec.to_dict()).known == spec.known


def test_a_file_is_read_as_one_text(tmp_path: Path) -> None:
    file = tmp_path / "message.txt"
    file.write_text("Win a prize\nnow", encoding="utf-8")
    names, raw = learned(WORDS).read(str(file))
    assert names == [str(file)] and bytes(raw[0]) == b"Win a prize\nnow"


def test_a_table_is_read_as_a_text_in_each_row(tmp_path: Path) -> None:
    spec = learned(WORDS).model_copy(update={"columns": ("body",)})
    assert TextSpec.from_dict(spec.to_dict()) == spec
    table = tmp_path / "new.csv"
    table.write_text("title,body\nfirst of all,the good film\nthen,a bad day\n")
    names, raw = spec.read(str(table))
    assert names == [f"{table} line 2", f"{table} line 3"]
    assert [bytes(each) for each in raw] == [b"the good film", b"a bad day"]
    (tmp_path / "one.jsonl").write_text('{"words": "the good film"}\n')
    assert bytes(spec.read(str(tmp_path / "one.jsonl"))[1][0]) == b"the good film"
    table.write_text("text,label\nthe good film,x\n")
    with pytest.raises(DataError, match=r"has no column 'body', .* Its columns: text, label\. Rename the one"):
        spec.read(str(table))
    table.write_text("body,label\nthe good film,x\n,x\n")
    with pytest.raises(DataError, match="line 3 has no text"):
        spec.read(str(table))


def test_a_text_may_stand_in_the_place_of_a_path() -> None:
    names, raw = learned(WORDS).read("Win a prize. Now!")
    assert names == ["Win a prize. Now!"] and bytes(raw[0]) == b"Win a prize. Now!"


@pytest.mark.parametrize("path", ["mesage.txt", "folder/none", "./x"])
def test_a_path_that_is_not_there_is_no_text(path: str) -> None:
    with pytest.raises(DataError, match="is not there"):
        learned(WORDS).read(path)


def test_a_folder_and_an_empty_file_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder; name the text files in it"):
        learned(WORDS).read(str(tmp_path))
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(DataError, match="holds no text"):
        learned(WORDS).read(str(tmp_path / "empty.txt"))
