"""The champion of a dataset as models are published, promoted and deleted, also at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from typing import Any

import pytest
from sqlalchemy import select

from app import blobs
from app.auth import OWNER
from app.db.engine import Database, Session
from app.db.tables import Blob
from app.errors import NotFound
from app.schemas import examples
from app.schemas.choices import Promotion
from app.schemas.models import ModelUpdate
from app.services.datasets import catalog
from app.services.registry import champions, models
from tests.factories import backtest_rows, dataset, judged_model, publish

Errors = dict[tuple[str, int], float]
SIX = "abcdef"


@pytest.fixture
def dataset_id(database: Database) -> str:
    return dataset(database).id


def published(
    database: Database,
    dataset_id: str,
    errors: Errors | None = None,
    promotion: Promotion = "auto",
    **facts: Any,
) -> str:
    with database.write() as session:
        rows = backtest_rows(errors or {})
        return publish(session, judged_model(dataset_id, **facts), rows, promotion)


def at(cutoff: int, error: float, series: str = SIX) -> Errors:
    return {(name, cutoff): error for name in series}


def champion(database: Database, dataset_id: str) -> str | None:
    with database.read() as session:
        return catalog.get(session, OWNER, dataset_id).champion_id


def promote(database: Database, model_id: str) -> None:
    with database.write() as session:
        models.promote(session, OWNER, model_id)


def rename(database: Database, model_id: str) -> None:
    with database.write() as session:
        models.update(session, OWNER, model_id, ModelUpdate(name="another"))


def delete(database: Database, model_id: str) -> None:
    with database.write() as session:
        models.delete(session, OWNER, model_id)


def test_first_model_is_promoted_however_bad(database: Database, dataset_id: str) -> None:
    model = published(database, dataset_id, skill=-3.0)
    assert champion(database, dataset_id) == model


@pytest.mark.parametrize(("error", "winner"), [(1.9, 1), (2.0, 0), (2.1, 0)])
def test_later_model_is_promoted_if_better_on_common_rows(
    database: Database, dataset_id: str, error: float, winner: int
) -> None:
    first = published(database, dataset_id, at(10, 2.0) | at(11, 2.0), skill=0.5)
    second = published(database, dataset_id, at(11, error) | at(12, 0.0), skill=-0.5)
    assert champion(database, dataset_id) == (first, second)[winner]


@pytest.mark.parametrize(("common", "winner"), [("abcde", 0), ("abcdef", 1)])
def test_fewer_than_six_common_series_leave_it_to_skill(
    database: Database, dataset_id: str, common: str, winner: int
) -> None:
    """The second is better on all common rows, two cuts each, and worse by skill."""
    first = published(database, dataset_id, at(10, 2.0, common) | at(11, 2.0, common), skill=0.2)
    second = published(database, dataset_id, at(10, 1.0, common) | at(11, 1.0, common), skill=0.1)
    assert champion(database, dataset_id) == (first, second)[winner]


@pytest.mark.parametrize(("cuts", "winner"), [(5, 0), (6, 1)])
def test_six_common_cuts_are_enough_where_series_are_few(
    database: Database, dataset_id: str, cuts: int, winner: int
) -> None:
    before, after = ({("a", cut): error for cut in range(cuts)} for error in (2.0, 1.0))
    first = published(database, dataset_id, before, skill=0.2, tested_series=5)
    second = published(database, dataset_id, after, skill=0.1, tested_series=5)
    assert champion(database, dataset_id) == (first, second)[winner]


def test_every_series_counts_the_same_however_many_rows_it_has(database: Database, dataset_id: str) -> None:
    """The second is better by rows (9.5 to 11 in all) and worse by series (7.5 to 7)."""
    cuts = [("long", 10), ("long", 11), ("long", 12)]
    first = published(database, dataset_id, dict.fromkeys(cuts, 2.0) | at(10, 1.0, "abcde"))
    published(database, dataset_id, dict.fromkeys(cuts, 1.0) | at(10, 1.3, "abcde"))
    assert champion(database, dataset_id) == first


@pytest.mark.parametrize(("skill", "winner"), [(0.3, 1), (0.2, 0), (0.1, 0)])
def test_without_common_rows_skill_decides(
    database: Database, dataset_id: str, skill: float, winner: int
) -> None:
    first = published(database, dataset_id, at(10, 1.0), skill=0.2)
    second = published(database, dataset_id, at(20, 9.0), skill=skill)
    assert champion(database, dataset_id) == (first, second)[winner]


@pytest.mark.parametrize(("skill", "winner"), [(0.3, 1), (0.1, 0)])
def test_champion_from_before_a_baseline_was_added_is_compared_by_those_that_both_have(
    database: Database, dataset_id: str, skill: float, winner: int
) -> None:
    """The added baseline is far ahead of the second model, and would make it the worse one."""
    old, new = (judged_model(dataset_id, skill=each).backtest for each in (0.2, skill))
    assert old is not None
    assert new is not None
    del old["measures"]["last_change"]
    new["measures"]["last_change"] = {**new["measures"]["naive"], "mase": 0.01}
    first = published(database, dataset_id, at(10, 1.0), backtest=old)
    second = published(database, dataset_id, at(20, 9.0), backtest=new)
    assert champion(database, dataset_id) == (first, second)[winner]


def judged_by(measure: str) -> dict[str, Any]:
    return {"verdicts": {"lstm": {**examples.VERDICT, "measure": measure}}}


@pytest.mark.parametrize(("measure", "winner"), [("MASE", 1), ("RMSSE", 0), ("sMAPE", 1)])
def test_models_are_compared_by_the_measure_of_the_new_ones_verdict(
    database: Database, dataset_id: str, measure: str, winner: int
) -> None:
    """The second errs by 0 and 3 in place of 2: less on average, more by the mean of squares."""
    first = published(database, dataset_id, at(10, 2.0) | at(11, 2.0), **judged_by("MASE"))
    second = published(database, dataset_id, at(10, 0.0) | at(11, 3.0), **judged_by(measure))
    assert champion(database, dataset_id) == (first, second)[winner]
    assert promotion(database, second)[1].startswith(f"Its error ({measure}) on the 12 steps")


@pytest.mark.parametrize(("error", "winner"), [(1.5, 1), (2.5, 0)])
@pytest.mark.parametrize("measure", ["pinball", "WQL"])
def test_measures_of_intervals_compare_the_bounds_too(
    database: Database, dataset_id: str, measure: str, error: float, winner: int
) -> None:
    first = published(database, dataset_id, at(10, 2.0))
    second = published(database, dataset_id, at(10, error), **judged_by(measure))
    losses = [pinball_of(each) for each in (error, 2.0)]
    share = abs(100 * (losses[0] / losses[1] - 1))
    assert champion(database, dataset_id) == (first, second)[winner]
    assert f"Its error ({measure}) on the 6 steps" in promotion(database, second)[1]
    assert f" was {share:.1f} %" in promotion(database, second)[1]


def pinball_of(error: float) -> float:
    """The mean loss over median and bounds, which are 1 and 2 away, of a median that is so much too high."""
    bounds = {0.5: error, 0.1: error - 1, 0.9: error + 1, 0.025: error - 2, 0.975: error + 2}
    return sum(max(-quantile * off, (1 - quantile) * off) for quantile, off in bounds.items()) / len(bounds)


def test_skill_is_by_the_measure_of_the_verdict_too(database: Database, dataset_id: str) -> None:
    """The factory's methods have the same RMSSE, so that none has skill by it."""
    first = published(database, dataset_id, skill=0.2)
    second = published(database, dataset_id, skill=0.5, **judged_by("RMSSE"))
    assert champion(database, dataset_id) == first
    assert "its error (RMSSE) was as large as the best simple method's" in promotion(database, second)[1]


def test_champion_without_a_backtest_is_replaced(database: Database, dataset_id: str) -> None:
    published(database, dataset_id, skill=None)
    second = published(database, dataset_id, skill=-1.0)
    assert champion(database, dataset_id) == second


@pytest.mark.parametrize(("promotion", "winner"), [("always", 1), ("never", 0)])
def test_requested_promotion_overrides_the_comparison(
    database: Database, dataset_id: str, promotion: Promotion, winner: int
) -> None:
    better = 0.1 if promotion == "never" else 9.0
    first = published(database, dataset_id, at(10, 1.0))
    second = published(database, dataset_id, at(10, better), promotion)
    assert champion(database, dataset_id) == (first, second)[winner]


def promotion(database: Database, model_id: str) -> tuple[str, str, str | None]:
    with database.read() as session:
        given = models.get(session, OWNER, model_id).promotion
    assert given is not None
    return given.decision, given.because, given.compared_with


@pytest.mark.parametrize(
    ("error", "decision", "gap"),
    [
        (1.94, "promoted", "3 % below the champion's."),
        (1.9999, "promoted", "under 0.1 % below the champion's."),
        (2.0, "not promoted", "the champion's; only a smaller one takes its place."),
        (2.5, "not promoted", "25 % above the champion's."),
    ],
)
def test_comparison_on_common_rows_is_explained_by_its_figures(
    database: Database, dataset_id: str, error: float, decision: str, gap: str
) -> None:
    first = published(database, dataset_id, at(10, 2.0) | at(11, 2.0))
    second = published(database, dataset_id, at(10, error) | at(11, error))
    because = f"Its error (MASE) on the 12 steps that both were tested on was {gap}"
    assert promotion(database, second) == (decision, because, first)


def test_error_beside_a_champion_without_one_is_explained(database: Database, dataset_id: str) -> None:
    published(database, dataset_id, at(10, 0.0))
    second = published(database, dataset_id, at(10, 1.0))
    assert promotion(database, second)[1].endswith("was far above the champion's.")


def test_comparison_by_skill_is_explained_by_its_figures(database: Database, dataset_id: str) -> None:
    first = published(database, dataset_id, at(10, 1.0), skill=0.2)
    second = published(database, dataset_id, at(10, 1.0, "abcde"), skill=-0.125)
    third = published(database, dataset_id, at(10, 1.0, "abcde"), skill=0.0)
    few = (
        "Both were tested on 5 common series, and it takes 6. Each in its own backtest, its error (MASE) was "
    )
    than_its = " the best simple method's, and the champion's was 20 % below that."
    assert promotion(database, second) == ("not promoted", f"{few}12.5 % above{than_its}", first)
    assert promotion(database, third) == ("not promoted", f"{few}as large as{than_its}", first)


def test_few_series_are_compared_by_cuts_and_the_reason_says_so(database: Database, dataset_id: str) -> None:
    cuts = {("a", cut): 1.0 for cut in range(5)}
    published(database, dataset_id, cuts, tested_series=5)
    second = published(database, dataset_id, cuts, tested_series=5)
    assert promotion(database, second)[1].startswith("Both were tested on 5 common cuts, and it takes 6.")


def test_champion_without_a_backtest_is_explained(database: Database, dataset_id: str) -> None:
    first = published(database, dataset_id, skill=None)
    second = published(database, dataset_id)
    because = "The champion has no backtest: nothing is known of its errors."
    assert promotion(database, second) == ("promoted", because, first)


def test_promotion_without_a_comparison_is_explained(database: Database, dataset_id: str) -> None:
    first = published(database, dataset_id)
    always = published(database, dataset_id, promotion="always")
    never = published(database, dataset_id, promotion="never")
    wish = "The training asked for promote={}, so nothing was compared."
    assert promotion(database, first) == ("promoted", "There was no champion.", None)
    assert promotion(database, always) == ("promoted", wish.format("always"), None)
    assert promotion(database, never) == ("not promoted", wish.format("never"), None)


def test_promotion_by_hand_is_explained_in_place_of_the_comparison(
    database: Database, dataset_id: str
) -> None:
    published(database, dataset_id)
    never = published(database, dataset_id, promotion="never")
    promote(database, never)
    by_hand = "It was promoted by hand, by POST /models/{id}/promote."
    assert promotion(database, never) == ("promoted", by_hand, None)


def test_former_champion_can_be_promoted_again(database: Database, dataset_id: str) -> None:
    first = published(database, dataset_id)
    published(database, dataset_id, promotion="always")
    promote(database, first)
    assert champion(database, dataset_id) == first


def test_deleted_champion_leaves_the_one_promoted_before(database: Database, dataset_id: str) -> None:
    first = published(database, dataset_id)
    second = published(database, dataset_id, promotion="always")
    published(database, dataset_id, promotion="never")
    promote(database, first)
    delete(database, first)
    assert champion(database, dataset_id) == second


def test_promoting_the_champion_again_changes_nothing(database: Database, dataset_id: str) -> None:
    first = published(database, dataset_id)
    second = published(database, dataset_id, promotion="always")
    third = published(database, dataset_id, promotion="always")
    promote(database, third)
    delete(database, third)
    assert champion(database, dataset_id) == second
    delete(database, second)
    assert champion(database, dataset_id) == first


def test_last_promoted_model_deleted_leaves_no_champion(database: Database, dataset_id: str) -> None:
    never = published(database, dataset_id, promotion="never")
    delete(database, published(database, dataset_id))
    assert champion(database, dataset_id) is None
    promote(database, never)
    assert champion(database, dataset_id) == never


def blobs_of(session: Session) -> set[str]:
    return set(session.scalars(select(Blob.key)))


def test_comparison_is_repeated_if_the_champion_has_changed(database: Database, dataset_id: str) -> None:
    model = judged_model(dataset_id, skill=0.1)
    with database.write() as session:
        model.backtest_key = blobs.put(session, OWNER.workspace_id, backtest_rows({}))
        compared = champions.compare(session, model, "auto")
    better = published(database, dataset_id, skill=0.9)
    with database.write() as session:
        champions.admit(session, model, "auto", compared)
    assert (compared.champion_id, compared.should_promote) == (None, True)
    assert champion(database, dataset_id) == better


def test_deleted_model_leaves_no_bytes(database: Database, dataset_id: str) -> None:
    with database.read() as session:
        before = blobs_of(session)
    model = published(database, dataset_id)
    delete(database, model)
    with database.read() as session:
        assert blobs_of(session) == before
        with pytest.raises(NotFound):
            models.get(session, OWNER, model)


@pytest.mark.parametrize(("errors", "winner"), [((1.0, 2.0), 0), ((2.0, 1.0), 1)])
def test_two_trainings_that_end_at_once_leave_the_better_one(
    database: Database, dataset_id: str, errors: tuple[float, float], winner: int
) -> None:
    """The second waits until it can be compared with the first."""
    one, two = (judged_model(dataset_id) for _ in errors)
    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            publish(session, one, backtest_rows(at(10, errors[0])))
            other = pool.submit(publish_alone, database, two, errors[1])
            with pytest.raises(StillWaiting):
                other.result(timeout=0.3)
        other.result(timeout=30)
    assert champion(database, dataset_id) == (one, two)[winner].id


def publish_alone(database: Database, model: Any, error: float) -> str:
    with database.write() as session:
        return publish(session, model, backtest_rows(at(10, error)))


@pytest.mark.parametrize("action", [promote, rename])
def test_change_waits_for_a_running_deletion_and_then_finds_no_model(
    database: Database, dataset_id: str, action: Callable[[Database, str], None]
) -> None:
    model = published(database, dataset_id)
    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            models.delete(session, OWNER, model)
            change = pool.submit(action, database, model)
            with pytest.raises(StillWaiting):
                change.result(timeout=0.3)
        with pytest.raises(NotFound):
            change.result(timeout=30)
    assert champion(database, dataset_id) is None
