"""Every number that shapes a training, in one frozen dataclass, and the presets that choose them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import cycle, islice
from math import isqrt
from typing import Literal, get_args

from models.choices import MAX_PRETRAINED_HORIZON, Architecture, MemberStart, Preset, StartChoice
from models.errors import InvalidConfig

HISTORY_LIMIT = 1024
"""A forecast depends on at most this many of the last values of a series."""

MIN_INPUTS = 2
"""Known steps a training window starts from: two values make the one change that gives it a scale."""

MOST_SEASONS = 8
"""Older seasons say little about today's pattern, and every window pays for reading them."""

QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)

View = Literal["last", "season", "short", "long", "phase", "pretrained"]
"""How one member of the ensemble sees a series.

`last` and `season` take the seasonal patterns out and measure from the last value or from the mean of the
last season; of two seasons `short` is `last` without the shorter one's pattern alone, and `long` is `season`
without the longer one's; `phase` leaves them in, measures from the last value and is told the place in the
season. `pretrained` is `last` with the place told and a longer context, for the networks that have seen
other series and learn from these no more.
"""

PRETRAINED_CONTEXT = 48
"""Steps that the pretrained network reads, whatever the series; shorter ones begin with gaps."""

PRETRAINED_HIDDEN = 128
"""Numbers in the state of its LSTM."""

PRETRAINED_MEMBERS = 2
"""Networks that were pretrained alike, from different random numbers."""

LONG_SEASONS = {24: 168, 48: 336}
"""A day of hours, or of half hours, comes again as a day of the week; each a multiple of the shorter one."""


@dataclass(frozen=True)
class TrainingConfig:
    """What a training is made of; an artifact carries it, and forecasting reads its shapes from it.

    Lengths are in time steps. `views` names one view for each member of the ensemble. A member is trained
    for `steps` batches of `batch` windows, and reports after each of `epochs` equal parts of them. A backtest
    compares methods on at most `windows` windows.
    """

    horizon: int
    season_length: int
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

    def __post_init__(self) -> None:
        self._check_whole_numbers()
        self._check_rates()
        self._check_architecture()
        self._check_views()
        self._check_quantiles()

    @property
    def members(self) -> int:
        return len(self.views)

    @property
    def span(self) -> int:
        """Values before its origin that a window looks at: the context and the seasons."""
        contexts = (self.context_of(view) for view in self.views)
        lengths = {length for view in self.views for length in self.season_lengths_of(view)}
        return max([*contexts, *(seasons_within(length) * length for length in lengths)])

    def season_lengths_of(self, view: View) -> tuple[int, ...]:
        """Steps in each season whose pattern a view takes out, the shorter one first."""
        longer = LONG_SEASONS.get(self.season_length, self.season_length)
        some: dict[View, tuple[int, ...]] = {"phase": (), "short": (self.season_length,), "long": (longer,)}
        lengths = dict.fromkeys(some.get(view, (self.season_length, longer)))
        return tuple(length for length in lengths if seasons_within(length))

    def context_of(self, view: View) -> int:
        """Steps that the network of a view reads."""
        return PRETRAINED_CONTEXT if view == "pretrained" else self.context

    def hidden_of(self, view: View) -> int:
        """Numbers in the state of the network of a view."""
        return PRETRAINED_HIDDEN if view == "pretrained" else self.hidden

    @property
    def learners(self) -> tuple[int, ...]:
        """The numbers of the members that learn; the pretrained ones stay as they are."""
        return tuple(number for number, view in enumerate(self.views) if view != "pretrained")

    @property
    def start(self) -> MemberStart:
        """What its networks began as."""
        if 0 < len(self.learners) < self.members:
            return "both"
        return "scratch" if self.learners else "pretrained"

    def to_dict(self) -> dict[str, object]:
        """The fields as JSON can hold them."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> "TrainingConfig":
        """The inverse of `to_dict`; raises `InvalidConfig` when fields are missing or unknown."""
        expected = {field.name for field in fields(cls)}
        if wrong := expected ^ set(stored):
            raise InvalidConfig(f"The stored configuration has missing or unknown fields: {sorted(wrong)}.")
        values = {name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()}
        return cls(**values)  # type: ignore[arg-type]  # each value is checked in __post_init__

    def _check_whole_numbers(self) -> None:
        limits = {
            "horizon": (1, None),
            "season_length": (1, None),
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

    def _check_rates(self) -> None:
        if not 0 < self.learning_rate <= 1:
            raise InvalidConfig(f"learning_rate is {self.learning_rate!r}; it must be above 0 and at most 1.")
        if not 0 <= self.weight_decay <= 1:
            raise InvalidConfig(f"weight_decay is {self.weight_decay!r}; it must be from 0 to 1.")

    def _check_architecture(self) -> None:
        known = get_args(Architecture)
        if self.architecture not in known:
            raise InvalidConfig(
                f"architecture is {self.architecture!r}; it must be one of {', '.join(known)}."
            )
        if "pretrained" in self.views and (
            self.architecture != "lstm" or self.horizon > MAX_PRETRAINED_HORIZON
        ):
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
class _Recipe:
    """What a preset fixes; `preset` adds what depends on the data."""

    members: int
    most_steps: int
    windows: int


_RECIPES: dict[Preset, _Recipe] = {
    "quick": _Recipe(members=2, most_steps=400, windows=200),
    "balanced": _Recipe(members=12, most_steps=2000, windows=1000),
    "accurate": _Recipe(members=24, most_steps=6000, windows=1000),
}


def preset(  # noqa: PLR0913 - plain facts about the data, with no name for a group of them
    name: Preset,
    *,
    horizon: int,
    season_length: int,
    values: int,
    longest: int,
    seed: int = 0,
    architecture: Architecture = "lstm",
    start: StartChoice = "auto",
) -> TrainingConfig:
    """The configuration a preset stands for, fitted to the data.

    `values` is how many steps all series have together, and `longest` those of the longest. Raises
    `InvalidConfig`, also for a pretrained start with a horizon that no network was pretrained for.
    """
    if name not in _RECIPES:
        raise InvalidConfig(f"preset is {name!r}; it must be one of {', '.join(_RECIPES)}.")
    recipe, is_known = _RECIPES[name], architecture == "lstm" and horizon <= MAX_PRETRAINED_HORIZON
    context = _context(season_length, longest, longest - horizon)
    return TrainingConfig(
        horizon=horizon,
        season_length=season_length,
        seed=seed,
        views=_members(recipe, start, _views(season_length, context), is_known=is_known),
        context=context,
        hidden=64,
        steps=min(_steps(values), recipe.most_steps),
        epochs=20,
        batch=_batch(values),
        learning_rate=1e-2,
        weight_decay=0.01,
        windows=recipe.windows,
        architecture=architecture,
    )


def seasons_within(season_length: int) -> int:
    """Whole seasons that a seasonal pattern is estimated from; 0 where there is none, or too long a one."""
    if season_length == 1 or 2 * season_length > HISTORY_LIMIT:
        return 0
    return min(MOST_SEASONS, HISTORY_LIMIT // season_length)


def longest_horizon(longest_series: int) -> int:
    """The longest horizon a training on series of at most this many steps allows; under 1 means none.

    The held-out last `horizon` steps must leave a training window with two inputs and a target for
    every step ahead.
    """
    return (longest_series - MIN_INPUTS) // 2


def _members(
    recipe: _Recipe, start: StartChoice, views: tuple[View, ...], *, is_known: bool
) -> tuple[View, ...]:
    """The view of each member: those from scratch take turns in what they see.

    Nothing was pretrained for what is not known; with `auto` all begin from scratch then.
    """
    scratch = tuple(islice(cycle(views), recipe.members))
    alike: View = "pretrained"
    pretrained = (alike,) * PRETRAINED_MEMBERS
    if start == "auto":
        return scratch + pretrained if is_known else scratch
    return pretrained if start == "pretrained" else scratch


def _views(season_length: int, context: int) -> tuple[View, ...]:
    """Different ways to see the same data; a raw season is seen only where the context holds two of it."""
    if season_length == 1:
        return ("last",)
    if season_length in LONG_SEASONS:
        return ("last", "season", "short", "long")
    if context >= 2 * season_length:
        return ("last", "season", "phase")
    return ("last", "season")


def _batch(values: int) -> int:
    """An eighth of the values there are to learn from, as a power of two, from 32 to 128.

    Larger batches cost as much for each window and learned no more from it.
    """
    return min(128, max(32, 1 << max(1, values // 8).bit_length() - 1))


def _steps(values: int) -> int:
    """Five times the root of the values, from 300: few noisy values are soon learned by heart.

    Nothing stops a training early, so its length has to follow the data; measured on sets of 1 to 1,428
    series of M3 and on population.
    """
    return max(300, 5 * isqrt(values))


def _context(season_length: int, longest: int, available: int) -> int:
    """Steps the encoder reads: two seasons, or a sixth of the longest series without any; within 8 to 24.

    Measured on M3 and M4: 8 quarters are as good as 12, 24 months as 36, and 24 hours better than 48; longer
    contexts were worse for years, and better for longer series without a season.
    """
    wanted = longest // 6 if season_length == 1 else 2 * season_length
    return max(MIN_INPUTS, min(max(8, wanted), 24, available))
