"""A model folder may be anybody's: what is not exactly what it says is refused, with the file and the reason."""

import json
import os
import pickle
import resource
import struct
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from descriptions import described
from sonde import backend
from sonde.errors import ModelError
from sonde.models import options_of
from sonde.models.reads import Reads

OPTIONS = {"width": 8, "depth": 1, "dropout": 0.1}
CLASSES = ("cat", "dog", "eel")


@pytest.fixture(scope="module", autouse=True)
def torch_backend() -> None:
    backend.use("torch").start(threads=1)


def load(path: Path, *, largest_bytes: int = 10**9) -> tuple[Any, Any]:
    # Keras is imported when its backend is chosen.
    from sonde.models import model_folder

    return model_folder.load(path, largest_bytes=largest_bytes)


def save(path: Path, weights: Mapping[str, NDArray[Any]]) -> None:
    from sonde.models import model_folder

    model_folder.save(path, description(), weights)


def description() -> Any:
    return described("mlp", OPTIONS, Reads((4, 4, 1)), classes=CLASSES, fitted={"temperature": 1.5})


def weights_of(model: Any) -> dict[str, NDArray[Any]]:
    return {each.path: each.value.detach().numpy() for each in model.weights}


@pytest.fixture(scope="module")
def model() -> Any:
    from sonde.models.assemble import Blueprint, build

    return build(Blueprint("mlp", "classification", Reads((4, 4, 1)), 3, options_of("mlp")(**OPTIONS)), seed=3)


@pytest.fixture
def folder(tmp_path: Path, model: Any) -> Path:
    """A whole model folder."""
    save(tmp_path / "model", weights_of(model))
    return tmp_path / "model"


def forge(folder: Path, name: str, content: bytes) -> None:
    """Replace a file, and what the digests say of it, as somebody with bad intentions can."""
    (folder / name).write_bytes(content)
    digests = json.loads((folder / "digests.json").read_text())
    digests[name] = {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    (folder / "digests.json").write_text(json.dumps(digests))


def forge_description(folder: Path, changes: Mapping[str, Any]) -> None:
    values = json.loads((folder / "model.json").read_text())
    forge(folder, "model.json", json.dumps({**values, **changes}).encode())


def refusal(folder: Path, *, largest_bytes: int = 10**9) -> str:
    """Return the words with which a folder is refused; whatever is no ModelError fails the test."""
    with pytest.raises(ModelError) as caught:
        load(folder, largest_bytes=largest_bytes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_was_saved_comes_back_to_the_bit(folder: Path, model: Any) -> None:
    again, said = load(folder)
    assert said == description()
    before, after = weights_of(model), weights_of(again)
    assert {name: array.tobytes() for name, array in before.items()} == {
        name: array.tobytes() for name, array in after.items()
    }
    inputs = np.random.default_rng(0).normal(size=(5, 4, 4, 1)).astype(np.float32)
    first, second = (each({"inputs": inputs})["logits"].detach().numpy() for each in (model, again))
    assert np.array_equal(first, second)


def test_saving_again_gives_the_same_bytes(folder: Path, tmp_path: Path, model: Any) -> None:
    save(tmp_path / "again", dict(reversed(weights_of(model).items())))
    assert [path.name for path in sorted(folder.iterdir())] == ["digests.json", "model.json", "weights.safetensors"]
    for file in folder.iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
@pytest.mark.parametrize("place", [0, 0.3, 0.7, 1])
def test_a_changed_byte_is_refused(folder: Path, name: str, place: float) -> None:
    raw = bytearray((folder / name).read_bytes())
    raw[round(place * (len(raw) - 1))] ^= 1
    (folder / name).write_bytes(raw)
    assert name in (said := refusal(folder)) and "was changed since it was written" in said


def test_a_changed_byte_in_the_digests_is_refused(folder: Path) -> None:
    whole = (folder / "digests.json").read_bytes()
    for place in range(len(whole)):
        raw = bytearray(whole)
        raw[place] ^= 1
        (folder / "digests.json").write_bytes(raw)
        try:
            _, said = load(folder)
        except ModelError as error:
            assert str(folder) in str(error)
        else:
            # The letter's case of a hexadecimal digit, or a space, is all that may go unseen.
            assert said == description()


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
@pytest.mark.parametrize("change", [-1, 1, -(10**9)], ids=["shorter", "longer", "empty"])
def test_a_file_of_another_size_is_refused(folder: Path, name: str, change: int) -> None:
    raw = (folder / name).read_bytes()
    (folder / name).write_bytes(raw + b"x" if change > 0 else raw[:change] if -change < len(raw) else b"")
    said = refusal(folder)
    assert name in said and f"instead of {len(raw):,}: it was cut or changed" in said


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors", "digests.json"])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert name in (said := refusal(folder)) and ("missing" in said or "No such file" in said)


def test_what_is_no_folder_is_refused_with_the_way_to_one(folder: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", folder / "model.json"):
        assert "There is no model at" in refusal(path) and "sonde resume RUN" in refusal(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"3",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"model.json": 3}',
        b'{"model.json": {"bytes": 1e400, "sha256": ""}}',
        b'{"model.json": {"bytes": NaN, "sha256": ""}}',
        b'{"model.json": {"bytes": "' + b"9" * 5000 + b'", "sha256": ""}}',
        b'{"model.json": {"bytes": 10}}',
        b'{"model.json": [1, 2]}',
        b"{}",
        pickle.dumps({"model.json": 1}),
    ],
)
def test_digests_of_any_other_kind_are_refused(folder: Path, content: bytes) -> None:
    (folder / "digests.json").write_bytes(content)
    assert "digests.json" in refusal(folder)


def test_a_file_that_the_digests_do_not_name_is_not_read(folder: Path) -> None:
    digests = json.loads((folder / "digests.json").read_text())
    del digests["weights.safetensors"]
    (folder / "digests.json").write_text(json.dumps(digests))
    assert "says nothing of weights.safetensors" in refusal(folder)


def peak_memory() -> float:
    """Return the largest memory that this process has used, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors", "digests.json"])
def test_a_file_that_is_too_large_is_refused_before_it_is_read(folder: Path, name: str) -> None:
    size = 10**11
    # A hole: it takes no room on the disk.
    os.truncate(folder / name, size)
    if name != "digests.json":
        digests = json.loads((folder / "digests.json").read_text())
        digests[name]["bytes"] = size
        (folder / "digests.json").write_text(json.dumps(digests))
    before = peak_memory()
    said = refusal(folder, largest_bytes=10**12)
    assert f"{name}" in said and "100,000,000,000 bytes where at most" in said
    assert peak_memory() - before < 100


def test_the_caller_s_own_bound_counts(folder: Path) -> None:
    assert "where at most 100 can be right" in refusal(folder, largest_bytes=100)


def form(*shape: Any) -> dict[str, Any]:
    return {"shape": list(shape), "dtype": "float32", "cardinalities": [], "presence": False}


GIGANTIC = {
    "dense layers": {"model": "mlp", "options": {"width": 65536, "depth": 64}},
    "convolutions": {"model": "cnn", "options": {"width": 4096, "stages": 8}},
    "recurrent layers": {"model": "rnn", "options": {"width": 8192, "depth": 16}},
    "residual blocks": {"model": "resnet", "options": {"width": 4096, "blocks": 6}},
    "inputs": {"model": "mlp", "options": {}, "reads": form(1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000)},
    "inputs that do not fit": {"model": "cnn", "options": {"width": 4096, "stages": 8}, "reads": form(8)},
    "outputs": {"model": "mlp", "options": {"width": 65536}, "outputs": 100_000},
}


@pytest.mark.parametrize("what", GIGANTIC)
def test_a_description_that_asks_for_gigabytes_is_refused_without_them(folder: Path, what: str) -> None:
    forge_description(folder, GIGANTIC[what])
    before = peak_memory()
    assert "refused" in refusal(folder)
    assert peak_memory() - before < 100


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 1}, "has format 1, and this version of sonde reads format 2. Train the model anew."),
        ({"format": 0}, "has format 0, and this version"),
        ({"model": "mlpp"}, "no model called 'mlpp'. Did you mean 'mlp'?"),
        ({"model": "../../evil"}, "no model called '../../evil'"),
        ({"answer": "lable"}, "There is no head for 'lable'"),
        ({"answer": "__class__"}, "There is no head for '__class__'"),
        ({"options": {"widht": 8}}, "no option called 'widht'. Did you mean 'width'?"),
        ({"options": {"width": 0}}, "width = 0 is not possible"),
        ({"options": {"width": "8"}}, "width = '8' is not possible"),
        ({"options": {"width": 8.5}}, "width = 8.5 is not possible"),
        ({"options": {"width": 10**30}}, "is not possible"),
        ({"options": {"__init__": 8}}, "no option called '__init__'"),
        ({"options": {**OPTIONS, "width": 16}}, "belongs"),
        ({"options": {"depth": 2}}, "does not hold the architecture's weights"),
        ({"options": []}, "options: Input should be"),
        ({"reads": form(4, 4, 3)}, "belongs"),
        ({"reads": form(0, 4, 1)}, "reads.shape.0"),
        ({"reads": form(-1, 4, 1)}, "reads.shape.0"),
        ({"reads": form(10**7, 1, 1)}, "reads.shape.0"),
        ({"reads": form()}, "reads.shape"),
        ({"reads": form(4, "4", 1)}, "reads.shape.1"),
        ({"outputs": 0}, "outputs"),
        ({"outputs": "3"}, "outputs"),
        ({"outputs": 2}, "belongs"),
        ({"code": "import os"}, "code: Extra inputs are not permitted"),
        ({"sonde": None}, "sonde"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(folder: Path, changes: dict[str, Any], reason: str) -> None:
    forge_description(folder, changes)
    said = refusal(folder)
    assert reason in said and str(folder) in said
    assert "refused" in said or "format" in changes


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"[" * 100_000, b"\xff", b'{"sonde": "\\ud800"}', b"{" * 5000])
def test_a_description_of_any_other_kind_is_refused(folder: Path, content: bytes) -> None:
    forge(folder, "model.json", content)
    assert "model.json is not a sonde model" in refusal(folder)


def changed(folder: Path, change: Callable[[dict[str, NDArray[Any]]], object]) -> None:
    weights = load_tensors((folder / "weights.safetensors").read_bytes())
    change(weights)
    forge(folder, "weights.safetensors", save_tensors(weights))


KERNEL = "dense_1/kernel"
WRONG_WEIGHTS: dict[str, tuple[Callable[[dict[str, NDArray[Any]]], object], str]] = {
    "another name": (lambda each: each.update(odd=each.pop(KERNEL)), "does not hold the architecture's weights"),
    "one too many": (lambda each: each.update(odd=np.zeros(1, np.float32)), "(first odd ones: ['odd'])"),
    "one too few": (lambda each: each.pop(KERNEL), f"(first odd ones: ['{KERNEL}'])"),
    "none": (lambda each: each.clear(), "does not hold the architecture's weights"),
    "another shape": (lambda each: each.update({KERNEL: each[KERNEL].T.copy()}), "is float32 (8, 16) where"),
    "another type": (lambda each: each.update({KERNEL: each[KERNEL].astype(np.float64)}), "is float64 (16, 8) where"),
    "whole numbers": (lambda each: each.update({KERNEL: each[KERNEL].astype(np.int32)}), "is int32 (16, 8) where"),
    "NaN": (lambda each: each[KERNEL].__setitem__((0, 0), np.nan), "holds numbers that are not finite"),
    "infinity": (lambda each: each[KERNEL].__setitem__((0, 0), -np.inf), "holds numbers that are not finite"),
}


@pytest.mark.parametrize("what", WRONG_WEIGHTS)
def test_weights_that_do_not_fit_are_refused(folder: Path, what: str) -> None:
    change, reason = WRONG_WEIGHTS[what]
    changed(folder, change)
    said = refusal(folder)
    assert "weights.safetensors" in said and reason in said


def container(header: Any, body: bytes = bytes(8), length: int | None = None) -> bytes:
    """Return a safetensors file with a header of one's own choice."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def tensor(kind: str, shape: list[int], end: int = 8) -> dict[str, Any]:
    return {"a": {"dtype": kind, "shape": shape, "data_offsets": [0, end]}}


class Evil:
    """What runs a program when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch unpickled",)


LIES = {
    "nothing": b"",
    "three bytes": b"abc",
    "a pickle": pickle.dumps(Evil(), protocol=4),
    "a zip": b"PK\x03\x04" + bytes(100),
    "a header of exabytes": container({}, length=2**62),
    "a header longer than the file": container({}, length=1000),
    "data beyond the end": container(tensor("F32", [4], 16)),
    "data for two": container({**tensor("F32", [2]), "b": tensor("F32", [2])["a"]}),
    "a negative shape": container(tensor("F32", [-2])),
    "a shape of exabytes": container(tensor("F32", [2**40, 2**40])),
    "a shape that does not fit": container(tensor("F32", [3])),
    "objects": container(tensor("OBJECT", [8])),
    "bfloat16": container(tensor("BF16", [4])),
    "float8": container(tensor("F8_E4M3", [8])),
    "deep nesting": container(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    "a list": container(b"[1]"),
    "no text": container(b'{"\xff": 1}'),
}


@pytest.mark.parametrize("what", LIES)
def test_a_weights_file_that_lies_is_refused(
    folder: Path, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    forge(folder, "weights.safetensors", LIES[what])
    before = peak_memory()
    said = refusal(folder)
    assert "weights.safetensors is not a valid safetensors file" in said and "refused" in said
    assert peak_memory() - before < 100
    assert not Path("unpickled").exists()


def test_no_other_file_is_looked_at(folder: Path) -> None:
    for name in ("weights.pkl", "model.py", "__init__.py", "model.keras"):
        (folder / name).write_bytes(pickle.dumps(Evil()))
    load(folder)


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors", "digests.json"])
@pytest.mark.parametrize("target", ["/dev/zero", "/dev/stdin", "loop", ".", "pipe", "/proc/self/environ"])
def test_a_link_to_what_is_no_file_is_refused_without_waiting(folder: Path, name: str, target: str) -> None:
    if name != "digests.json":
        # As large as such things say they are.
        digests = json.loads((folder / "digests.json").read_text())
        digests[name]["bytes"] = 0
        (folder / "digests.json").write_text(json.dumps(digests))
    (folder / name).unlink()
    if target == "pipe":
        os.mkfifo(folder / name)
    else:
        (folder / name).symlink_to(name if target == "loop" else target)
    assert name in refusal(folder)


def test_a_link_to_another_folder_s_file_must_hold_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    weights = folder / "weights.safetensors"
    weights.rename(tmp_path / "elsewhere")
    weights.symlink_to(tmp_path / "elsewhere")
    load(folder)
    weights.unlink()
    (tmp_path / "secret").write_text("root:x:0:0")
    weights.symlink_to(tmp_path / "secret")
    assert "root" not in refusal(folder).replace(str(folder), "")
