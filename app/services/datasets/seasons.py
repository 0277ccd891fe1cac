"""The seasons of a dataset: found where neither the caller nor the time step names any, and measured."""

from dataclasses import replace

from app.db.engine import Session
from app.db.queries import datasets as queries
from app.db.tables import DatasetVersion
from app.intake.frame import Intake, SeriesFrame
from app.intake.time.axis import TimeAxis
from app.intake.time.seasons import seasons_of
from app.schemas.datasets import Profile, SeasonOut
from app.services.datasets import panels
from models.inputs.season_evidence import MOST_SERIES
from models.inputs.season_search import judge, search
from models.panel import Panel

NO_PATTERN = "no pattern that repeats clearly from cycle to cycle"


def of_upload(intake: Intake) -> Intake:
    """Return an upload with the seasons that its series show, and what each of its seasons is worth."""
    panel, profile = panels.of_frame(intake.frame), intake.profile
    axis = _searched(intake.frame.axis, panel)
    seasons = _measured(seasons_of(axis, profile.longest), panel)
    found = {"season_length": axis.season_length, "seasons": seasons}
    frame = intake.frame.with_seasons(axis.season_lengths)
    return replace(intake, frame=frame, profile=profile.model_copy(update=found))


def of_rows(frame: SeriesFrame) -> SeriesFrame:
    """Return series with the seasons that they show, where neither the caller nor the step names any."""
    if not frame.axis.is_without_candidates:
        return frame
    return frame.with_seasons(_searched(frame.axis, panels.of_frame(frame)).season_lengths)


def after_append(
    session: Session, version: DatasetVersion, old: Profile, longest: int
) -> tuple[TimeAxis, list[SeasonOut]]:
    """Return the axis and the seasons of a version whose longest series has `longest` steps.

    They are those of the version before, of the profile `old`, until the longest series has grown past a
    power of two, or has two cycles of one more of them: so they seldom change, and a season stays.
    """
    axis = TimeAxis.from_dict(version.axis)
    seasons, before = seasons_of(axis, longest), {season.length: season for season in old.seasons}
    has_grown = longest.bit_length() > old.longest.bit_length()
    if not has_grown and not any(old.longest < 2 * season.length <= longest for season in seasons):
        return axis, [season if season.reason else before.get(season.length, season) for season in seasons]
    panel = _stored_panel(session, version, axis)
    axis = _searched(axis, panel)
    return axis, _measured(seasons_of(axis, longest), panel)


def of_stored(session: Session, version: DatasetVersion, axis: TimeAxis, longest: int) -> list[SeasonOut]:
    """Return what the seasons of an axis are worth on a stored version, whose longest series is `longest`."""
    return _measured(seasons_of(axis, longest), _stored_panel(session, version, axis))


def _stored_panel(session: Session, version: DatasetVersion, axis: TimeAxis) -> Panel:
    """Return the last values of the first series by name, which stand for all."""
    return panels.of_last_windows(axis, queries.window_page(session, version, MOST_SERIES, None))


def _searched(axis: TimeAxis, panel: Panel) -> TimeAxis:
    return axis.with_seasons(search(panel) or None) if axis.is_without_candidates else axis


def _measured(seasons: list[SeasonOut], panel: Panel) -> list[SeasonOut]:
    """Return seasons with what they are worth, where the series are long enough to tell."""
    judged = judge(panel, [season.length for season in seasons if season.reason is None])
    return [
        season.model_copy(
            update={"found": of.found, "gain": of.gain, "reason": None if of.found else NO_PATTERN}
        )
        if (of := judged.get(season.length))
        else season
        for season in seasons
    ]
