"""What holds for series: missing values, scaling, lengths, and what the model reads."""

from pathlib import Path

import numpy as np
import pytest

from sonde import data
from sonde.data.listing import Listing, numbered
from sonde.data.ragged import Ragged, Stored
from sonde.data.series import spec as series
from sonde.data.sources.series_files import read_series
from sonde.errors import DataError, ModelError

RNG = np.random.default_rng(0)
EQUAL = (RNG.normal(size=(6, 10, 2)) * [3.0, 0.1] + [5.0, -1.0]).astype(np.float32)
UNEQUAL = Ragged.of([EQUAL[0], EQUAL[1][:4], EQUAL[2][:7]])


def listing(content: Stored) -> Listing:
    count = len(content)
    answers, splits = np.array(["a", "b"] * count)[:count], np.full(count, "")
    return Listing(
        name="few", format="made", reason="made", names=numbered("few", count), truth=answers, splits=splits,
        content=content, modality="series",
    )  # fmt: skip


def spec(content: Stored, **options: object) -> series.SeriesSpec:
    return series.learn(content, listing(content), series.Options(**options))  # type: ignore[arg-type]


def test_each_channel_is_scaled_by_the_training_series() -> None:
    made = spec(EQUAL)
    read = made.prepare(made.encode(EQUAL))
    assert made.shape == (10, 2) and not made.presence and read.dtype == np.float32
    assert np.allclose(read.mean(axis=(0, 1)), 0, atol=1e-5) and np.allclose(read.std(axis=(0, 1)), 1, atol=1e-4)


def test_scaling_each_series_by_itself_forgets_level_and_size() -> None:
    made = spec(EQUAL, scale="series")
    assert np.allclose(made.encode(EQUAL), made.encode(EQUAL * 7 + 3), atol=1e-4)
    assert np.array_equal(spec(EQUAL, scale="none").encode(EQUAL), EQUAL)


def test_a_channel_that_stands_still_becomes_zero() -> None:
    flat = np.full((3, 5, 1), 7.5, dtype=np.float32)
    for scale in ("data", "series"):
        assert not np.any(spec(flat, scale=scale).encode(flat))


def test_series_of_different_lengths_get_a_last_channel_that_tells_padding() -> None:
    made = spec(UNEQUAL)
    read = made.prepare(made.encode(UNEQUAL))
    assert made.shape == (None, 3) and made.presence and made.longest == 10
    assert read[..., -1].sum(axis=1).tolist() == [10, 4, 7]
    assert not read[1, 4:].any() and read.shape[1] >= 10


def test_a_model_of_unequal_lengths_reads_series_of_one_length_too() -> None:
    made = spec(UNEQUAL)
    assert np.array_equal(made.encode(EQUAL)[1], spec(UNEQUAL).encode(Ragged.of(list(EQUAL)))[1])


def test_missing_values_become_the_line_between_their_neighbours() -> None:
    gaps = np.array([[np.nan, 1.0, np.nan, np.nan, 4.0, np.nan]], dtype=np.float32)[..., None]
    assert series.filled(gaps)[0, :, 0].tolist() == [1, 1, 2, 3, 4, 4]
    ragged = series.filled(Ragged.of([gaps[0], gaps[0][3:]]))
    assert isinstance(ragged, Ragged) and ragged[1][:, 0].tolist() == [4, 4, 4]
    assert np.isnan(gaps).sum() == 4  # What is given is not changed.


@pytest.mark.parametrize("missing", ["interpolate", "mean"])
@pytest.mark.parametrize("scale", ["data", "series", "none"])
def test_no_missing_value_reaches_the_model(missing: str, scale: str) -> None:
    gaps = EQUAL.copy()
    gaps[0, 3:6, 0], gaps[1, :, 1] = np.nan, np.nan
    for content in (gaps, Ragged.of([gaps[0], gaps[1][:4], gaps[2]])):
        made = spec(content, missing=missing, scale=scale)
        assert np.isfinite(made.prepare(made.encode(content))).all()


def test_what_is_missing_is_counted_and_said() -> None:
    gaps = EQUAL.copy()
    gaps[0, 3:6, 0] = np.nan
    for content in (gaps, Ragged.of([gaps[0], gaps[1][:4]])):
        decoded = series.store(listing(content), series.Options(), "key")
        assert "3 of " in decoded.notes[-1] and "in 1 of " in decoded.notes[-1] and "interpolated" in decoded.notes[-1]
    assert series.store(listing(EQUAL), series.Options(), "key").notes == ()


def test_series_can_be_brought_to_one_length() -> None:
    made = spec(UNEQUAL, length=5)
    read = made.encode(UNEQUAL)
    assert made.shape == (5, 2) and not made.presence and isinstance(read, np.ndarray) and read.shape == (3, 5, 2)
    # First and last step stay where they were.
    whole = spec(UNEQUAL).encode(UNEQUAL)
    assert np.allclose(read[1][[0, -1]], whole[1][[0, -1]], atol=1e-6)


def test_another_length_or_number_of_channels_is_refused_with_the_cure() -> None:
    made = spec(EQUAL)
    with pytest.raises(DataError, match=r"has 8 steps where the model reads 10\. .*--set series\.length=10"):
        made.encode(EQUAL[:, :8])
    with pytest.raises(DataError, match=r"have 1 channels; the model reads 2"):
        made.encode(EQUAL[..., :1])


@pytest.mark.parametrize("content", [EQUAL, UNEQUAL], ids=["equal", "unequal"])
def test_a_spec_comes_back_from_its_values(content: Stored) -> None:
    made = spec(content)
    assert data.spec_from(made.to_dict()) == made


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"channels": 0}, "channels"),
        ({"mean": [1.0]}, "2 channels but 1 means"),
        ({"std": [0.0, 1.0]}, "std"),
        ({"length": 10**9}, "length"),
        ({"length": None, "resampled": True}, "brought to no length"),
        ({"scale": "other"}, "scale"),
        ({"more": 1}, "more"),
        ({"mean": [float("nan"), 0.0]}, "mean"),
    ],
)
def test_a_damaged_spec_is_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(ModelError, match=told):
        data.spec_from(spec(EQUAL).to_dict() | change)


@pytest.mark.parametrize(
    "name",
    ["nothere.tsv", "nothere.npy", "nothere.ts", "a" * 10_000 + ".csv", "a\0b.csv"],
    ids=["text", "array", "ts", "long", "null"],
)
def test_a_file_to_predict_that_is_not_there_is_said_to_be_so(name: str, tmp_path: Path) -> None:
    for path in (name, str(tmp_path / name)):
        with pytest.raises(DataError, match=r"is not there \(looked in .*; check the path"):
            read_series(Path(path), channels=1)
    (tmp_path / "folder.tsv").mkdir()
    with pytest.raises(DataError, match=r"folder.tsv is no file; check the path"):
        read_series(tmp_path / "folder.tsv", channels=1)


def test_a_new_file_is_read_for_prediction(tmp_path: Path) -> None:
    made = spec(EQUAL)
    np.save(tmp_path / "one.npy", EQUAL[0])
    np.savez(tmp_path / "many.npz", x=EQUAL)
    np.savetxt(tmp_path / "one.csv", EQUAL[0], delimiter=",")
    text = "@classLabel false\n@data\n" + "\n".join(
        ":".join(",".join(map(str, channel)) for channel in each.T.tolist()) for each in EQUAL[:2]
    )
    (tmp_path / "two.ts").write_text(text)
    for name, count in (("one.npy", 1), ("many.npz", 6), ("one.csv", 1), ("two.ts", 2)):
        names, raw = made.read(str(tmp_path / name))
        assert len(names) == len(raw) == count and np.allclose(raw[0], EQUAL[0])
    np.save(tmp_path / "other.npy", EQUAL[..., :1])
    with pytest.raises(DataError, match=r"other\.npy holds series of 1 channels; the model reads 2"):
        made.read(str(tmp_path / "other.npy"))
    with pytest.raises(DataError, match=r"\.ts, \.npz"):
        made.read(str(tmp_path / "one.docx"))


def test_a_file_with_labels_is_read_for_prediction_without_them(tmp_path: Path) -> None:
    one = np.arange(1, 8 * 10 + 1, dtype=np.float32).reshape(8, 10, 1) / 7
    equal, unequal = spec(one), spec(Ragged.of([*one, one[0, :5]]))
    lines = [[str(row % 2 + 1), *map(str, each[:, 0])] for row, each in enumerate(one)]
    files = {"set_TEST.tsv": "\n".join("\t".join(line) for line in lines)}
    files["new.tsv"] = files["set_TEST.tsv"]
    files["wide.csv"] = "\n".join([",".join(["label", *(f"t{step}" for step in range(10))]), *map(",".join, lines)])
    files["long.csv"] = "\n".join(
        ["series_id,time,label,x"]
        + [f"{row},{step},{line[0]},{value}" for row, line in enumerate(lines) for step, value in enumerate(line[1:])]
    )
    files["bare.csv"] = "\n".join([",".join(f"t{step}" for step in range(10)), *(",".join(line[1:]) for line in lines)])
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        for made in (equal, unequal):
            names, raw = made.read(str(tmp_path / name))
            assert len(names) == len(raw) == 8 and np.allclose(np.stack(list(raw)), one), name


def test_a_series_that_cannot_be_read_is_not_left_out_of_the_answers(tmp_path: Path) -> None:
    (tmp_path / "new.ts").write_text("@classLabel false\n@data\n1,2,3:4,5,6\n1,2,3:4,5\n")
    with pytest.raises(DataError, match=r"new\.ts:4 has channels of different lengths: \[2, 3\]\. Repair or remove it"):
        spec(EQUAL).read(str(tmp_path / "new.ts"))


def test_a_small_data_set_keeps_more_for_validation() -> None:
    assert data.guess(listing(EQUAL)).value("data.validation") == 0.2
    many = np.zeros((1000, 3, 1), dtype=np.float32)
    assert data.guess(listing(many)).value("data.validation") is None
