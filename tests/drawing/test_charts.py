"""Charts and bars: what is drawn where, and what is said of it."""

import re

import numpy as np
import pytest

from drawing.reading import named, parsed, texts
from sonde.drawing import (
    Axis,
    Block,
    Interval,
    Layer,
    Measure,
    Panel,
    bars,
    bins,
    chart,
    curve,
    histogram,
    matrix,
    points,
    rule,
    spans,
)
from sonde.drawing.axes import nice_ticks, plain
from sonde.drawing.layers import MOST_SPECKS


def panel(*layers: Layer, **axis: float) -> Block:
    """Return a chart of one panel."""
    return chart([Panel(layers, Axis("y", **axis))], Axis("x"))  # type: ignore[arg-type]


def lines(block: Block, style: str = "p-main") -> list[list[tuple[float, float]]]:
    """Return the corners of each line in a style, without those of the legend."""
    found = [element.get("points", "").split() for element in named(parsed(block), style)]
    return [[tuple(map(float, place.split(","))) for place in each] for each in found if each[-1] != "28,4"]  # type: ignore[misc]


def test_a_gap_in_the_values_is_a_gap_in_the_line_and_a_lone_point_is_a_dot() -> None:
    block = panel(curve(range(20), [1, 2, 3, np.nan, 5, np.inf, *range(14)]))
    assert [len(each) for each in lines(block)] == [3, 14] and len(named(parsed(block), "p-dot")) == 1


def test_peaks_of_a_long_line_are_drawn_and_its_steep_part_too() -> None:
    values = np.zeros(50_000)
    values[23_456] = 9.0
    (line,) = lines(panel(curve(range(50_000), values), low=0.0, high=9.0))
    assert min(y for _, y in line) == 0.0 and len(line) < 600
    rising = np.minimum(np.arange(2000) / 20, 1.0)
    (line,) = lines(panel(curve(range(2000), rising)))
    assert sum(25 < y < 230 for _, y in line) > 10


def test_the_last_strong_layer_stands_first_in_the_legend_and_numbers_beside_names() -> None:
    drawn = texts(
        parsed(
            panel(
                rule("chance"), curve([0, 1], [0, 1], "rose", look="second"), curve([0, 1], [1, 2], "mean", note="0.91")
            )
        )
    )
    assert drawn[1:5] == ["mean", "0.91", "chance", "rose"]


def test_of_very_many_points_the_density_is_drawn_and_it_counts_them_all() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, MOST_SPECKS + 1))
    dense = named(parsed(panel(points(x, y))), "p-fill")
    assert 1 < len(dense) <= 12 and float(dense[-1].get("fill-opacity", 0)) == 1.0
    assert len(named(parsed(panel(points(x[:200], y[:200]))), "p-specks")) == 1
    assert len(named(parsed(panel(points(x[:50], y[:50]))), "p-dot")) == 50


def test_the_areas_of_points_follow_their_weights() -> None:
    small, large = named(parsed(panel(points([1, 2], [1, 2], weights=[0, 9]))), "p-dot")
    assert float(small.get("r", 0)) == 3 and float(large.get("r", 0)) == 7


def test_a_histogram_counts_what_is_finite() -> None:
    layer = histogram([0.0, 0.1, 0.9, 1.0, np.nan, np.inf], count=2)
    np.testing.assert_allclose(layer.y, [2, 2, 0])
    np.testing.assert_allclose(layer.x, [0, 0.5, 1])


def test_bins_below_zero_hang_in_the_other_colour() -> None:
    root = parsed(panel(bins([0, 1, 2, 3], [2, -2, 0])))
    assert [named(root, style)[0].get("d", "").count("M") for style in ("p-fill", "p-fill-other")] == [1, 1]


def test_marked_spans_are_told_apart_without_colour_and_the_shortest_is_seen() -> None:
    root = parsed(panel(curve([0, 1000], [0, 1]), spans([10, np.nan], [10, 20]), spans([500], [700], other=True)))
    below, above = named(root, "p-fill")[1].get("d", ""), named(root, "p-fill-other")[1].get("d", "")
    assert below.count("M") == 1 and "h1v4" in below
    assert float(re.findall(r"M\S+ (\S+)h", below)[0]) > float(re.findall(r"M\S+ (\S+)h", above)[0])


def test_room_is_left_around_values_but_none_that_would_cross_zero_or_a_natural_end() -> None:
    values = np.array([0.0, 0.995])
    scale = Axis(limits=(-9.0, 1.0)).scale(values, 0, 100)
    assert (scale.low, scale.high) == (0.0, 1.0)
    assert Axis().scale(np.array([-1.0, 1.0]), 0, 100).low < -1
    narrow = Axis(least=0.02).scale(np.array([0.9, 0.901]), 0, 100)
    assert narrow.high - narrow.low == pytest.approx(0.02)


def test_a_value_beyond_a_fixed_end_is_drawn_at_the_end() -> None:
    (line,) = lines(panel(curve([0, 1], [0.5, 7.0]), low=0.0, high=1.0))
    assert line[1][1] == 0.0


@pytest.mark.parametrize(
    ("last", "labels"), [(1, ["1"]), (2, ["1", "2"]), (12, ["1", "5", "10"]), (30, ["1", "10", "20", "30"])]
)
def test_epochs_are_labelled_by_whole_numbers_and_the_first_is_there(last: int, labels: list[str]) -> None:
    epochs = np.arange(1, last + 1)
    axis = Axis(whole=True)
    assert [plain(tick) for tick in axis.labels(axis.scale(epochs.astype(float), 0, 300, room=0.0))] == labels


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.613, 0.987), (1.0, 30.0), (1e-7, 3e-6), (5.0, 5.0), (0, 0)])
def test_ticks_are_round_few_and_inside(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert 1 <= len(ticks) <= 9 and all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)


def test_few_points_are_told_all_and_many_by_where_they_begin_turn_and_end() -> None:
    assert panel(curve([1, 2], [3, 4], "loss")).says == "y over x. loss: 3 at 1; 4 at 2. "
    assert (
        "begin: 0 at 0; 9 at 9; -5 at 20; 1 at 99"
        in panel(curve([0, 9, 20, 99, *range(100, 120)][:4] + [99] * 20, [0, 9, -5, 1] + [1] * 20, "begin")).says
    )


def test_bars_begin_at_zero_and_what_is_not_known_is_said_not_to_be() -> None:
    block = bars(("a", "b", "c"), [Measure("F1", [Interval(0.5, 0.4, 0.6), Interval(), Interval(-0.25)])])
    root = parsed(block)
    up, down = (named(root, style)[0] for style in ("p-fill", "p-fill-other"))
    assert float(up.get("width", 0)) == pytest.approx(2 * float(down.get("width", 0)), abs=0.02)
    assert "none" in texts(root) and block.says == "a: F1 0.5 (0.4 to 0.6); b: none; c: F1 -0.25."


def test_a_value_far_off_is_pointed_at_and_written() -> None:
    root = parsed(bars(("near", "far"), [Measure("", [Interval(0.9), Interval(0.1)], Axis(low=0.8, high=1.0), "dots")]))
    assert len(named(root, "p-dot-second")) == 2 and {"0.9", "0.1"} <= set(texts(root))


def test_an_interval_is_read_from_a_mapping_and_none_is_not_known() -> None:
    assert Interval.of({"value": 1, "low": None}).ends == (1.0, 1.0)
    assert not Interval.of(None).is_known and not Interval.of({"value": None}).is_known


@pytest.mark.parametrize("count", [2, 12])
def test_a_matrix_of_few_shows_every_number(count: int) -> None:
    values = np.arange(1, count * count + 1).reshape(count, count) * 37
    assert {f"{value:,}" for value in values.ravel()} <= set(
        texts(parsed(matrix(values, ([""] * count, ["x"] * count))))
    )


def test_a_matrix_tells_nothing_missing_and_zero_apart() -> None:
    root = parsed(matrix([[0, np.nan], [-3, 1]], ("ab", "cd")))
    assert {"·", "–", "-3", "1"} <= set(texts(root)) and len(named(root, "p-fill-other")) == 1


def test_a_single_cell_of_a_thousand_squared_is_seen() -> None:
    values = np.zeros((1000, 1000))
    values[3, 700] = 1
    names = [str(at) for at in range(1000)]
    root = parsed(matrix(values, (names, names)))
    assert len(named(root, "p-fill")) == 1 and 5 < len([each for each in texts(root) if each.isdigit()]) < 100
