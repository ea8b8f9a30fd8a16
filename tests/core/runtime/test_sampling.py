from __future__ import annotations

import itertools
import logging
import math
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from penstock.errors import RunError
from penstock.runtime.sampling import Dimension, Sampler, Sampling, grid_size, sampler
from penstock.runtime.sampling.dimensions import BITS, number_at, position_at

DEPTH = Dimension("depth", "integer", 2, 12)
RATE = Dimension("rate", "number", 0.001, 0.3, "log")
LOSS = Dimension("loss", "string", enum=("log", "exp"))
WARM = Dimension("warm", "boolean")
SPACE = (DEPTH, RATE, LOSS, WARM)

GOLDEN: list[dict[str, str | int | float | bool]] = [
    {
        "depth": 3,
        "rate": 0.027568500449490184,
        "loss": "exp",
        "warm": False,
        "momentum": 0.992465195940953,
        "units": 16,
        "shift": -0.9151874303694219,
    },
    {
        "depth": 5,
        "rate": 0.011782842402527223,
        "loss": "exp",
        "warm": False,
        "momentum": 0.8798217461452333,
        "units": 6,
        "shift": -0.32745200103291905,
    },
    {
        "depth": 11,
        "rate": 0.006322168291905063,
        "loss": "log",
        "warm": True,
        "momentum": 0.9728223301366749,
        "units": 188,
        "shift": 0.1046824471564905,
    },
]

SAMPLINGS: tuple[Sampling, ...] = ("grid", "random", "bayesian")


def everything(made: Sampler) -> list[dict[str, str | int | float | bool]]:
    return list(iter(made.ask, None))


@st.composite
def dimensions(draw: st.DrawFn, name: str, discrete: bool = False) -> Dimension:
    kind = draw(st.sampled_from(["enum", "boolean", "integer"] + ([] if discrete else ["number"])))
    if kind == "enum":
        values = draw(st.lists(st.text(max_size=3), min_size=1, max_size=4, unique=True))
        return Dimension(name, "string", enum=tuple(values))
    if kind == "boolean":
        return Dimension(name, "boolean")
    if kind == "integer":
        least = draw(st.integers(-5, 20))
        most = least + draw(st.integers(0, 6))
        return Dimension(
            name, "integer", least, most, "log" if least > 0 and draw(st.booleans()) else "linear"
        )
    least, greatest = sorted(draw(st.tuples(*[st.floats(-1e6, 1e6)] * 2)))
    if least > 0 and draw(st.booleans()):
        return Dimension(name, "number", least, greatest, "log")
    if least >= 0 and greatest < 1 and draw(st.booleans()):
        return Dimension(name, "number", least, greatest, "reverse_log")
    return Dimension(name, "number", least, greatest)


def spaces(discrete: bool = False) -> st.SearchStrategy[tuple[Dimension, ...]]:
    return st.integers(1, 3).flatmap(lambda n: st.tuples(*[dimensions(f"d{i}", discrete) for i in range(n)]))


def holds(dimension: Dimension, value: object) -> bool:
    """Tell whether a value is of the dimension's type and among its values, or between its bounds."""
    if dimension.enum:
        return value in dimension.enum
    if dimension.type == "boolean":
        return type(value) is bool
    assert dimension.minimum is not None and dimension.maximum is not None
    if dimension.type == "integer":
        return type(value) is int and dimension.minimum <= value <= dimension.maximum
    return type(value) is float and dimension.minimum <= value <= dimension.maximum


@given(space=spaces(), seed=st.integers(), trials=st.integers(0, 6))
def test_random_values_are_of_their_type_and_within_bounds(
    space: tuple[Dimension, ...], seed: int, trials: int
) -> None:
    for values in everything(sampler(space, "random", seed, trials)):
        assert list(values) == [each.name for each in space]
        assert all(holds(each, values[each.name]) for each in space)


@pytest.mark.parametrize("scale", ["linear", "log", "reverse_log"])
@pytest.mark.parametrize("fraction", [0, 1, 2**BITS - 1])
def test_the_ends_of_every_scale_are_within_bounds(scale: str, fraction: int) -> None:
    assert scale in ("linear", "log", "reverse_log")
    dimension = Dimension("x", "number", 0.1, 0.7, scale)  # type: ignore[arg-type]  # checked above

    value = number_at(dimension, fraction)

    assert value == pytest.approx(0.7 if fraction > 1 else 0.1)
    assert holds(dimension, value)


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_ends_of_integers_are_reached(scale: str) -> None:
    dimension = Dimension("x", "integer", 3, 9, "log" if scale == "log" else "linear")

    assert [position_at(dimension, each) for each in (0, 2**BITS - 1)] == [0, 6]


@given(space=spaces(), seed=st.integers(), trials=st.integers(0, 6), more=st.integers(0, 6))
def test_random_trials_depend_on_seed_and_number_alone(
    space: tuple[Dimension, ...], seed: int, trials: int, more: int
) -> None:
    told = sampler(space, "random", seed, trials)
    found = everything(told)
    again = sampler(space, "random", seed, trials + more, goal="maximize")
    for number, values in again.ask_round(trials) if trials else []:
        assert values == found[number]
        again.tell(number, float(number))
    assert everything(again) == everything(sampler(space, "random", seed, trials + more))[len(found) :]


def test_seeds_tell_searches_apart() -> None:
    found = [sampler([RATE], "random", seed, 1).ask() for seed in (-1, 0, 1, 2**70)]

    assert len({str(each) for each in found}) == 4


def test_another_dimension_leaves_the_others_as_they_were() -> None:
    narrow = everything(sampler([DEPTH, RATE], "random", 3, 5))
    wide = everything(sampler([WARM, DEPTH, RATE], "random", 3, 5))

    assert [{"depth": each["depth"], "rate": each["rate"]} for each in wide] == narrow


def test_the_draws_of_seed_7_never_change() -> None:
    reverse = Dimension("momentum", "number", 0.5, 0.999, "reverse_log")
    units = Dimension("units", "integer", 1, 512, "log")
    space = (*SPACE, reverse, units, Dimension("shift", "number", -1, 1))

    assert everything(sampler(space, "random", 7, 3)) == GOLDEN


@given(space=spaces(discrete=True), seed=st.integers())
def test_random_over_choices_gives_each_combination_once(space: tuple[Dimension, ...], seed: int) -> None:
    size = grid_size(space)
    assume(size <= 60)
    every = everything(sampler(space, "grid", 0, size))

    found = everything(sampler(space, "random", seed, size + 5))

    assert len(found) == size
    assert all(each in found for each in every)


@given(space=spaces(discrete=True), trials=st.integers(0, 30))
def test_a_grid_is_the_product_in_written_order_cut_at_the_trials(
    space: tuple[Dimension, ...], trials: int
) -> None:
    every = [
        each.enum
        or ((False, True) if each.minimum is None else range(int(each.minimum), int(each.maximum or 0) + 1))
        for each in space
    ]
    product = [
        dict(zip([each.name for each in space], values, strict=True)) for values in itertools.product(*every)
    ]

    assert grid_size(space) == len(product)
    assert everything(sampler(space, "grid", 1, trials)) == product[:trials]


def test_a_grid_too_large_to_hold_is_cut_without_being_made() -> None:
    wide = [Dimension(f"d{i}", "integer", 0, 999_999) for i in range(5)]

    assert grid_size(wide) == 10**30
    assert [list(each.values()) for each in everything(sampler(wide, "grid", 0, 2))] == [
        [0] * 5,
        [0, 0, 0, 0, 1],
    ]
    assert len(everything(sampler(wide, "random", 0, 3))) == 3


@pytest.mark.parametrize("sampling", ["random", "bayesian"])
def test_numbers_on_a_log_scale_are_spread_evenly_over_magnitudes(sampling: Sampling) -> None:
    space = [Dimension("rate", "number", 1e-4, 1.0, "log")]
    size = 400 if sampling == "random" else 10
    made = sampler(space, sampling, 5, size)

    found = [math.floor(math.log10(float(values["rate"]))) for values in everything(made)]

    for magnitude in (-4, -3, -2, -1):
        assert found.count(magnitude) > (size / 4 * 0.8 if sampling == "random" else 0)


def test_integers_on_a_log_scale_are_dense_at_the_lower_end() -> None:
    units = Dimension("units", "integer", 1, 1023, "log")
    found = [position_at(units, step * 2**BITS // 1000) + 1 for step in range(1000)]

    # Ten doublings from 1 to 1023 inclusive: each holds a tenth.
    counts = [sum(2**n <= each < 2 ** (n + 1) for each in found) for n in range(10)]
    assert counts == pytest.approx([100] * 10, abs=1)


def test_a_reverse_log_scale_is_dense_at_the_upper_end() -> None:
    momentum = Dimension("momentum", "number", 0.0, 0.999, "reverse_log")
    found = [number_at(momentum, step * 2**BITS // 300) for step in range(300)]

    assert [
        sum(low <= each < high for each in found) for low, high in [(0, 0.9), (0.9, 0.99), (0.99, 1)]
    ] == [
        100,
        100,
        100,
    ]


@pytest.mark.parametrize(
    ("dimension", "message"),
    [
        (Dimension("x", "integer", 1), "minimum and maximum are needed"),
        (Dimension("x", "number", None, 1), "minimum and maximum are needed"),
        (Dimension("x", "number", 2, 1), "nothing lies between 2 and 1"),
        (Dimension("x", "integer", 0.2, 0.8), "nothing lies between"),
        (Dimension("x", "number", 0, math.inf), "must be finite"),
        (Dimension("x", "integer", 0, 1e19), "integers reach from"),
        (Dimension("x", "number", 0, 1, "log"), "begins above 0"),
        (Dimension("x", "integer", 0, 5, "log"), "begins above 0"),
        (Dimension("x", "number", 0, 1, "reverse_log"), "from 0 to below 1"),
        (Dimension("x", "number", -0.5, 0.5, "reverse_log"), "from 0 to below 1"),
        (Dimension("x", "integer", 0, 0, "reverse_log"), "from 0 to below 1"),
        (Dimension("x", "string"), "values to choose from"),
    ],
)
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_what_cannot_be_searched_is_refused_at_once(
    sampling: Sampling, dimension: Dimension, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^x: .*{message}"):
        sampler([dimension], sampling, 0, 1)


def test_numbers_between_bounds_have_no_grid() -> None:
    with pytest.raises(ValueError, match="rate: a grid needs values"):
        sampler(SPACE, "grid", 0, 1)
    with pytest.raises(ValueError, match="rate: a grid needs values"):
        grid_size(SPACE)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_mistakes_of_the_caller_are_refused(sampling: Sampling) -> None:
    with pytest.raises(ValueError, match="fewer than 0"):
        sampler([LOSS], sampling, 0, -1)
    with pytest.raises(ValueError, match="same name"):
        sampler([LOSS, LOSS], sampling, 0, 1)
    made = sampler([DEPTH], sampling, 0, 5)
    with pytest.raises(ValueError, match="no trial 0 was given"):
        made.tell(0, 1.0)
    with pytest.raises(ValueError, match="at least 1"):
        made.ask_round(0)
    made.ask()
    made.tell(0, 1.0)
    with pytest.raises(ValueError, match="trial 0 was told before"):
        made.tell(0, 1.0)
    with pytest.raises(ValueError, match="no trial -1 was given"):
        made.tell(-1, 1.0)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_rounds_are_numbered_through_and_end_with_the_trials(sampling: Sampling) -> None:
    made = sampler([DEPTH, LOSS], sampling, 0, 5)
    rounds: list[list[int]] = []
    while asked := made.ask_round(2):
        rounds.append([number for number, _ in asked])
        for number, _ in asked:
            made.tell(number, 1.0)

    assert rounds == [[0, 1], [2, 3], [4]]
    assert made.ask() is None


def objective(values: dict[str, str | int | float | bool]) -> float:
    x, y = float(values["x"]), float(values["y"])
    return (x - 0.3) ** 2 + (math.log10(y) + 2) ** 2 / 4 + (0.5 if values["z"] == "b" else 0)


SMOOTH = (
    Dimension("x", "number", -2, 2),
    Dimension("y", "number", 1e-4, 1.0, "log"),
    Dimension("z", "string", enum=("a", "b")),
)


def search(sampling: Sampling, seed: int, sign: int = 1, turned: bool = False) -> list[float]:
    """Give the result of each trial, in the order of numbers, told in that order or turned around."""
    made = sampler(SMOOTH, sampling, seed, 32, "minimize" if sign == 1 else "maximize")
    found: dict[int, float] = {}
    while asked := made.ask_round(4):
        for number, values in reversed(asked) if turned else asked:
            found[number] = objective(values)
            made.tell(number, None if number == 9 else sign * found[number])
    return [found[each] for each in range(32)]


def test_bayesian_beats_random_on_a_smooth_function() -> None:
    def typical(sampling: Sampling) -> float:
        """Add up the median results of the later half of three searches."""
        return sum(sorted(search(sampling, seed)[16:])[8] for seed in (1, 2, 7))

    assert typical("bayesian") < 0.75 * typical("random")


def test_bayesian_learns_from_results_and_not_from_their_order() -> None:
    assert search("bayesian", 7) == search("bayesian", 7, turned=True) == search("bayesian", 7, sign=-1)
    assert search("bayesian", 7) != search("bayesian", 8)


def test_bayesian_values_are_of_their_type_and_within_bounds() -> None:
    space = (
        *SPACE,
        Dimension("momentum", "number", 0.5, 0.999, "reverse_log"),
        Dimension("units", "integer", 1, 512, "log"),
        Dimension("fixed", "number", 2, 2),
        Dimension("alike", "number", enum=(1, 1.0, True)),
    )
    made = sampler(space, "bayesian", -3, 14)
    for number in range(14):
        ((given_number, values),) = made.ask_round(1)
        assert given_number == number
        assert list(values) == [each.name for each in space]
        assert all(holds(each, values[each.name]) for each in space)
        made.tell(number, math.nan if number == 3 else float(values["depth"]))


def test_choices_that_are_equal_come_back_as_they_were_written() -> None:
    alike = Dimension("x", "number", enum=(1, 1.0, True))

    found = everything(sampler([alike], "bayesian", 0, 10))

    assert {type(each["x"]) for each in found} == {int, float, bool}


def test_a_round_of_bayesian_waits_for_the_results_of_the_one_before() -> None:
    made = sampler(SMOOTH, "bayesian", 0, 9)
    (first, _), (second, _) = made.ask_round(2)
    made.tell(second, 1.0)

    with pytest.raises(ValueError, match="not told"):
        made.ask_round(2)

    made.tell(first, 2.0)
    assert [number for number, _ in made.ask_round(2)] == [2, 3]


def test_optuna_is_kept_quiet_and_its_logging_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    import optuna

    before = optuna.logging.get_verbosity()
    search("bayesian", 1)

    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before == logging.INFO


def test_bayesian_without_optuna_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)

    with pytest.raises(RunError) as fault:
        sampler(SPACE, "bayesian", 7, 3)

    (found,) = fault.value.diagnostics
    assert (found.code, found.hint) == ("P422", "pip install 'penstock[tune]'")
    assert sampler(SPACE, "random", 7, 3).ask()


def test_sampling_by_grid_or_at_random_loads_no_optuna() -> None:
    script = (
        "import sys\nfrom penstock.runtime.sampling import Dimension, sampler\n"
        "sampler([Dimension('x', 'boolean')], 'random', 1, 1).ask()\n"
        "assert not {'optuna', 'numpy', 'pydantic', 'yaml'} & sys.modules.keys()"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
