"""The configuration of a training: one frozen dataclass, and the presets that fill it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import cycle, islice
from math import isqrt
from typing import Literal, get_args

from models.choices import (
    MAX_PRETRAINED_HORIZON,
    Architecture,
    Calendar,
    MemberStart,
    Preset,
    Seasons,
    StartChoice,
    fits_pretrained,
)
from models.errors import InvalidConfig

HISTORY_LIMIT = 1024
"""A forecast depends on this many of the last values of a series, or on more for seasons that need them."""

LONGEST_HISTORY = 20_000
"""A forecast never depends on more of the last values of a series."""

SHORT_SPAN = 128
"""Steps of a window up to which each is drawn once. With an eighth of the windows of hours and a third of
those of weeks, drawn as much more often, networks erred no more, and were trained in half the time."""

LONG_CYCLES = 4
"""Seasons that the history holds of the longest one, however long it is."""

MIN_INPUTS = 2
"""Steps that the first training window of a series reads: two values make one change, and so a scale."""

MAX_SEASONS = 8
"""Seasons that a seasonal pattern is estimated from; older ones add little, and cost every window time."""

QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)

View = Literal["last", "season", "short", "long", "phase", "pretrained"]
"""How one member of the ensemble sees a series.

`last` and `season` remove the seasonal patterns; their level is the last value, or the mean of the last
season. With two seasons, `short` is `last` with only the shorter pattern removed, and `long` is `season` with
only the longer one removed. `phase` removes none, takes the last value as its level and reads the position in
the season. `pretrained` is `last` with that position and a longer context, for the pretrained networks.
"""

PRETRAINED_CONTEXT = 48
"""Steps that the pretrained networks read; shorter series begin with gaps."""

PRETRAINED_HIDDEN = 128
"""Hidden size of their LSTM."""

PRETRAINED_MEMBERS = 2
"""Pretrained networks, alike but for their random seeds."""


@dataclass(frozen=True)
class TrainingConfig:
    """The configuration of a training; it is stored with the model, whose shapes depend on it.

    Lengths are in time steps; `season_lengths` rise, and are none for no season. `views` has one view for
    each member of the ensemble. A member is trained for `steps` batches of `batch` windows, in `epochs` equal
    parts. A backtest compares methods on at most `windows` windows. Raises `InvalidConfig`.
    """

    horizon: int
    season_lengths: tuple[int, ...]
    seed: int
    views: tuple[View, ...]
    context: int
    hidden: int
    steps: int
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    windows: int
    quantiles: tuple[float, ...] = QUANTILES
    architecture: Architecture = "lstm"
    calendar: Calendar = "none"

    def __post_init__(self) -> None:
        self._check_whole_numbers()
        self._check_seasons()
        self._check_rates()
        self._check_architecture()
        self._check_views()
        self._check_quantiles()

    @property
    def members(self) -> int:
        return len(self.views)

    @property
    def span(self) -> int:
        """Steps before the origin that a window reads: the context, or the seasons where they are longer."""
        contexts = (self.context_of(view) for view in self.views)
        lengths = {length for view in self.views for length in self.season_lengths_of(view)}
        return max([*contexts, *(self.seasons_within(length) * length for length in lengths)])

    @property
    def seasons(self) -> Seasons:
        """The seasons that the series may have."""
        return Seasons(self.season_lengths, self.calendar)

    @property
    def season_length(self) -> int:
        """The steps in the shortest season; 1 for none."""
        return self.seasons.shortest

    @property
    def history_limit(self) -> int:
        """The number of the last values of a series that a forecast depends on."""
        return history_limit(self.season_lengths)

    @property
    def most_windows(self) -> int:
        """The windows that the members of a view learn from at most: as many as each of them draws.

        They are fewer where a window reads more than `SHORT_SPAN` steps, and each is drawn several times:
        cutting them would take longer than learning from them.
        """
        return self.steps * self.batch * SHORT_SPAN // max(SHORT_SPAN, self.span)

    def season_lengths_of(self, view: View) -> tuple[int, ...]:
        """Return the lengths in steps of the seasons whose pattern a view removes, the shorter ones first."""
        lengths = _removed_lengths(self.seasons)
        some: dict[View, tuple[int, ...]] = {"phase": (), "short": lengths[:1], "long": lengths[-1:]}
        return some.get(view, lengths)

    def seasons_within(self, length: int) -> int:
        """Return the number of seasons that a pattern is estimated from; below 2 for too long a season."""
        return min(MAX_SEASONS, self.history_limit // length)

    def context_of(self, view: View) -> int:
        """Return the number of steps that the network of a view reads."""
        return PRETRAINED_CONTEXT if view == "pretrained" else self.context

    def hidden_of(self, view: View) -> int:
        """Return the hidden size of the network of a view."""
        return PRETRAINED_HIDDEN if view == "pretrained" else self.hidden

    @property
    def trainable_members(self) -> tuple[int, ...]:
        """The numbers of the members that are trained; the pretrained ones stay unchanged."""
        return tuple(number for number, view in enumerate(self.views) if view != "pretrained")

    @property
    def start(self) -> MemberStart:
        """Where the networks come from."""
        if 0 < len(self.trainable_members) < self.members:
            return "both"
        return "scratch" if self.trainable_members else "pretrained"

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON types."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> "TrainingConfig":
        """Invert `to_dict`. Raise `InvalidConfig` when fields are missing or unknown."""
        expected = {field.name for field in fields(cls)}
        if wrong := expected ^ set(stored):
            raise InvalidConfig(f"The stored configuration has missing or unknown fields: {sorted(wrong)}.")
        values = {name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()}
        return cls(**values)  # type: ignore[arg-type]  # each value is checked in __post_init__

    def _check_whole_numbers(self) -> None:
        limits = {
            "horizon": (1, None),
            "seed": (0, 2**63 - 1),
            "context": (MIN_INPUTS, HISTORY_LIMIT),
            "hidden": (1, None),
            "steps": (1, None),
            "epochs": (1, self.steps),
            "batch": (1, None),
            "windows": (1, None),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if type(value) is not int or value < low or (high is not None and value > high):
                upper = "" if high is None else f" and at most {high}"
                raise InvalidConfig(f"{name} is {value!r}; it must be a whole number, at least {low}{upper}.")

    def _check_seasons(self) -> None:
        try:
            Seasons(self.season_lengths, self.calendar)
        except ValueError as error:
            raise InvalidConfig(str(error)) from error

    def _check_rates(self) -> None:
        if not 0 < self.learning_rate <= 1:
            raise InvalidConfig(f"learning_rate is {self.learning_rate!r}; it must be above 0 and at most 1.")
        if not 0 <= self.weight_decay <= 1:
            raise InvalidConfig(f"weight_decay is {self.weight_decay!r}; it must be from 0 to 1.")

    def _check_architecture(self) -> None:
        architectures = get_args(Architecture)
        if self.architecture not in architectures:
            raise InvalidConfig(
                f"architecture is {self.architecture!r}; it must be one of {', '.join(architectures)}."
            )
        if "pretrained" in self.views and not fits_pretrained(self.architecture, self.horizon):
            raise InvalidConfig(
                f"The pretrained networks are LSTMs for horizons of at most {MAX_PRETRAINED_HORIZON}, not "
                f"for a horizon of {self.horizon} with architecture {self.architecture}. Start from scratch."
            )

    def _check_views(self) -> None:
        unknown = set(self.views) - set(get_args(View))
        if unknown or not self.views:
            raise InvalidConfig(
                f"views is {self.views!r}; it must name at least one of {', '.join(get_args(View))}."
            )

    def _check_quantiles(self) -> None:
        inside = all(0 < quantile < 1 for quantile in self.quantiles)
        rising = list(self.quantiles) == sorted(set(self.quantiles))
        mirrored = all(
            abs(low + high - 1) < 1e-9  # noqa: PLR2004 - rounding of decimal fractions
            for low, high in zip(self.quantiles, reversed(self.quantiles), strict=True)
        )
        if not (inside and rising and mirrored and len(self.quantiles) % 2 == 1 and len(self.quantiles) > 1):
            raise InvalidConfig(
                f"quantiles is {self.quantiles!r}; it must rise between 0 and 1, symmetric around 0.5."
            )


@dataclass(frozen=True)
class _PresetValues:
    """The part of a preset that does not depend on the data."""

    members: int
    max_steps: int
    windows: int


_PRESETS: dict[Preset, _PresetValues] = {
    "quick": _PresetValues(members=2, max_steps=400, windows=200),
    "balanced": _PresetValues(members=12, max_steps=2000, windows=1000),
    "accurate": _PresetValues(members=24, max_steps=6000, windows=1000),
}


def preset(  # noqa: PLR0913 - plain facts about the data, with no name for a group of them
    name: Preset,
    *,
    horizon: int,
    seasons: Seasons,
    values: int,
    longest: int,
    seed: int = 0,
    architecture: Architecture = "lstm",
    start: StartChoice = "auto",
) -> TrainingConfig:
    """Return the configuration of a preset for given data.

    `values` is the number of steps of all series, and `longest` that of the longest. Raise `InvalidConfig`,
    also for a pretrained start with a horizon beyond `MAX_PRETRAINED_HORIZON`.
    """
    if name not in _PRESETS:
        raise InvalidConfig(f"preset is {name!r}; it must be one of {', '.join(_PRESETS)}.")
    chosen, is_pretrained = _PRESETS[name], fits_pretrained(architecture, horizon)
    context = _context(seasons.shortest, longest, longest - horizon)
    return TrainingConfig(
        horizon=horizon,
        season_lengths=seasons.lengths,
        calendar=seasons.calendar,
        seed=seed,
        views=_members(chosen, start, _views(seasons, context), is_pretrained=is_pretrained),
        context=context,
        hidden=64,
        steps=min(_steps(values), chosen.max_steps),
        epochs=20,
        batch=_batch(values),
        learning_rate=1e-2,
        weight_decay=0.01,
        windows=chosen.windows,
        architecture=architecture,
    )


def history_limit(season_lengths: Sequence[int]) -> int:
    """Return the number of the last values of a series that a forecast depends on.

    It holds `LONG_CYCLES` seasons of the longest, each a step longer: a leap year is 366 days.
    """
    wanted = LONG_CYCLES * (max(season_lengths, default=1) + 1)
    return min(max(HISTORY_LIMIT, wanted), LONGEST_HISTORY)


def _removed_lengths(seasons: Seasons) -> tuple[int, ...]:
    """Return the season lengths that patterns are removed for: two must fit the history."""
    limit = history_limit(seasons.lengths)
    return tuple(length for length in seasons.lengths if 2 * length <= limit)


def _members(
    values: _PresetValues, start: StartChoice, views: tuple[View, ...], *, is_pretrained: bool
) -> tuple[View, ...]:
    """Return the view of each member; those from scratch take turns through `views`.

    `is_pretrained` is whether the pretrained networks fit; if not, `auto` leaves them out.
    """
    scratch = tuple(islice(cycle(views), values.members))
    view: View = "pretrained"
    pretrained = (view,) * PRETRAINED_MEMBERS
    if start == "auto":
        return scratch + pretrained if is_pretrained else scratch
    return pretrained if start == "pretrained" else scratch


def _views(seasons: Seasons, context: int) -> tuple[View, ...]:
    """Return the views to take turns in; `phase` is one where the context holds two seasons."""
    if not seasons.lengths:
        return ("last",)
    if len(_removed_lengths(seasons)) > 1:
        return ("last", "season", "short", "long")
    if context >= 2 * seasons.shortest:
        return ("last", "season", "phase")
    return ("last", "season")


def _batch(values: int) -> int:
    """Return an eighth of the values, as a power of two, from 32 to 128.

    Larger batches cost as much a window and did not lower the error.
    """
    return min(128, max(32, 1 << max(1, values // 8).bit_length() - 1))


def _steps(values: int) -> int:
    """Return five times the root of the values, at least 300.

    Nothing stops a training early, and few values are soon overfitted. Measured on sets of 1 to 1,428 series
    of M3 and on population.
    """
    return max(300, 5 * isqrt(values))


def _context(season_length: int, longest: int, available: int) -> int:
    """Return the steps that the encoder reads: two seasons, or a sixth of the longest series; from 8 to 24.

    Measured on M3 and M4: 8 quarters are as good as 12, 24 months as 36, and 24 hours better than 48. Longer
    contexts were worse for years, and better for longer series without a season.
    """
    wanted = longest // 6 if season_length == 1 else 2 * season_length
    return max(MIN_INPUTS, min(max(8, wanted), 24, available))
