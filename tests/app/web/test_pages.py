"""Every page is HTML without inline code, says what is asked for, and takes nothing from elsewhere."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.auth import OWNER
from app.db.engine import Database
from app.db.queries import models as model_queries
from app.schemas import examples
from app.services.datasets import catalog
from app.services.jobs import states
from app.web import static_files
from tests.factories import (
    csv_bytes,
    dataset,
    filled_app,
    judged_model,
    new_version,
    publish,
    queued_job,
    trained,
    trends,
    upload,
)

ROOT = Path(__file__).resolve().parents[3]
SERIES = "/ui/datasets/{}/series?unique_id=series 1"
FORECAST = "/ui/datasets/{}/forecast?unique_id=series 1&level=80"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, dict[str, str]]]:
    """A caller of an app with a dataset, a model and a job, and their ids."""
    ids: dict[str, str] = {}

    def fill(database: Database) -> str:
        ids["dataset"] = dataset(database, {**trends(), "gappy": [1.0, None, 3.0, 4.0] * 5}).id
        ids["model"] = trained(database, ids["dataset"])
        ids["other"] = trained(database, ids["dataset"], seed=5, promote="never")
        ids["job"] = queued_job(database, ids["dataset"], seed=1).job_id
        return ids["dataset"]

    with filled_app(tmp_path_factory.mktemp("pages"), fill) as (client, _):
        yield client, ids


def paths(ids: dict[str, str]) -> list[str]:
    below = f"/ui/datasets/{ids['dataset']}"
    return [
        "/",
        below,
        f"{below}/series?unique_id=gappy",
        f"{below}/forecast",
        f"/ui/jobs/{ids['job']}",
        f"/ui/models/{ids['model']}",
        f"/ui/models/{ids['other']}/comparison?other={ids['model']}",
        "/ui/nowhere",
    ]


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def chart(page: str) -> dict[str, Any]:
    """Return the data block of a page's only chart."""
    (block,) = re.findall(r'<script type="application/json">(.*?)</script>', page, flags=re.DOTALL)
    found: dict[str, Any] = json.loads(block)
    return found


def line(block: dict[str, Any], role: str, level: int | None = None) -> list[float | None]:
    found: list[float | None] = next(
        each["y"] for each in block["lines"] if each["role"] == role and each.get("level") == level
    )
    return found


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("language", ["en", "de", "zh"])
def test_page_has_no_inline_code_and_loads_from_here_alone(
    filled: tuple[TestClient, dict[str, str]], number: int, language: str
) -> None:
    client, ids = filled
    page = client.get(paths(ids)[number], headers={"accept-language": language})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<html lang="{language}">' in page.text
    for tag, attributes in Elements(page.text).found:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "style"
        if tag == "script":
            assert "src" in attributes or attributes["type"] == "application/json"
        if tag in {"script", "link", "img"} and (source := attributes.get("src", attributes.get("href"))):
            assert client.get(source).status_code == 200


def test_policy_of_a_page_allows_no_inline_code(filled: tuple[TestClient, dict[str, str]]) -> None:
    client, ids = filled
    for path in paths(ids):
        policy = client.get(path).headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy


def test_page_with_a_chart_takes_less_than_half_a_megabyte(filled: tuple[TestClient, dict[str, str]]) -> None:
    client, ids = filled
    page = client.get(FORECAST.format(ids["dataset"])).content
    code = [file.packed for name, file in static_files.files().items() if not name.endswith(".csv")]
    assert len(page) + sum(map(len, code)) < 500_000


def test_start_lists_datasets_and_where_each_leads(filled: tuple[TestClient, dict[str, str]]) -> None:
    client, ids = filled
    page = client.get("/").text
    assert f'href="/ui/datasets/{ids["dataset"]}"' in page
    assert f'href="/ui/jobs/{ids["job"]}"' in page


def test_dataset_lists_its_series_with_their_shapes(filled: tuple[TestClient, dict[str, str]]) -> None:
    client, ids = filled
    page = client.get(f"/ui/datasets/{ids['dataset']}").text
    assert page.count('<svg class="sparkline"') == 4
    assert "unique_id=series%201" in page


def test_search_answers_the_list_alone(filled: tuple[TestClient, dict[str, str]]) -> None:
    client, ids = filled
    part = client.get(f"/ui/datasets/{ids['dataset']}?search=GAP", headers={"gatecast-part": "1"}).text
    assert "<html" not in part
    assert part.count('<th scope="row">') == 1


def test_series_has_its_gaps_in_the_chart(filled: tuple[TestClient, dict[str, str]]) -> None:
    client, ids = filled
    block = chart(client.get(f"/ui/datasets/{ids['dataset']}/series?unique_id=gappy").text)
    assert line(block, "history")[:4] == [1.0, None, 3.0, 4.0]
    assert block["x"][:2] == [1960, 1961]


def test_chart_of_a_forecast_is_what_the_api_answers(filled: tuple[TestClient, dict[str, str]]) -> None:
    client, ids = filled
    block = chart(client.get(FORECAST.format(ids["dataset"])).text)
    query = f"/forecast?dataset_id={ids['dataset']}&unique_id=series 1&level=80"
    (answer,) = client.get(query).json()["forecasts"]
    ahead = len(answer["ds"])
    assert line(block, "median")[-ahead:] == pytest.approx(answer["forecast"], rel=1e-6)
    assert line(block, "lo", 80)[-ahead:] == pytest.approx(answer["intervals"]["80"]["lo"], rel=1e-6)
    assert block["x"][-ahead:] == answer["ds"]


def test_forecast_shows_what_its_model_forecast_before(filled: tuple[TestClient, dict[str, str]]) -> None:
    client, ids = filled
    block = chart(client.get(f"{FORECAST.format(ids['dataset'])}&model_id={ids['model']}").text)
    tested = [each["y"] for each in block["lines"] if each["role"] == "tested"]
    assert tested
    assert all(any(value is not None for value in y) for y in tested)


def test_link_of_a_forecast_downloads_the_same(filled: tuple[TestClient, dict[str, str]]) -> None:
    client, ids = filled
    page = client.get(FORECAST.format(ids["dataset"])).text
    (link,) = re.findall(r'href="(/forecast\?[^"]*format=csv)"', page)
    table = client.get(link.replace("&amp;", "&")).text
    assert table.splitlines()[0] == "unique_id,ds,forecast,mean,lo-80,hi-80"


def test_several_series_are_drawn_side_by_side(filled: tuple[TestClient, dict[str, str]]) -> None:
    client, ids = filled
    page = client.get(f"{FORECAST.format(ids['dataset'])}&unique_id=series 2").text
    assert page.count("data-chart") == 2
    beside = [each for tag, each in Elements(page).found if tag == "input" and each["name"] == "unique_id"]
    assert {each["value"]: "checked" in each for each in beside} == {
        "gappy": False,
        "series 0": False,
        "series 2": True,
    }


def test_model_begins_with_the_sentence_of_its_verdict(filled: tuple[TestClient, dict[str, str]]) -> None:
    client, ids = filled
    page = client.get(f"/ui/models/{ids['model']}").text
    sentence = client.get(f"/models/{ids['model']}").json()["verdict"]["sentence"]
    plain = page.replace("&#39;", "'")
    assert 0 < plain.index(sentence) < plain.index("Error by method")


def test_model_that_does_not_answer_can_be_made_to(filled: tuple[TestClient, dict[str, str]]) -> None:
    client, ids = filled
    call = 'data-call="POST /models/{}/promote"'
    assert call.format(ids["other"]) in client.get(f"/ui/models/{ids['other']}").text
    assert call.format(ids["model"]) not in client.get(f"/ui/models/{ids['model']}").text


def test_two_models_are_compared_on_what_both_were_tested_on(
    filled: tuple[TestClient, dict[str, str]],
) -> None:
    client, ids = filled
    page = client.get(f"/ui/models/{ids['other']}/comparison?other={ids['model']}").text
    both = client.get(f"/models/compare?model_id={ids['model']}&model_id={ids['other']}").json()
    assert both["models"][1]["verdict"]["sentence"] in page.replace("&#39;", "'")
    assert page.count('<tr class="ours">') == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ui/nowhere", 404),
        ("/ui/datasets/ds_0", 404),
        ("/ui/jobs/job_0", 404),
        ("/ui/models/model_0", 404),
        ("/?colour=red", 422),
    ],
)
def test_what_is_not_there_is_said_on_a_page(
    filled: tuple[TestClient, dict[str, str]], path: str, status: int
) -> None:
    page = filled[0].get(path)
    assert page.status_code == status
    assert page.headers["content-type"].startswith("text/html")
    assert '<a href="/">' in page.text


def test_chosen_language_is_kept(filled: tuple[TestClient, dict[str, str]]) -> None:
    client, _ = filled
    assert '<html lang="zh">' in client.get("/?lang=zh").text
    assert '<html lang="zh">' in client.get("/", headers={"accept-language": "de"}).text
    client.cookies.clear()


def test_reading_shows_an_open_question_as_choices_and_stores_nothing(client: TestClient) -> None:
    table = (ROOT / "examples" / "receipts.csv").read_bytes()
    part = client.post("/ui/reading", files={"file": ("receipts.csv", table)}).text
    assert re.findall(r'name="duplicates" value="(\w+)" data-choice', part)[:3] == ["sum", "mean", "last"]
    assert "Store it" not in part
    assert client.get("/datasets").json()["datasets"] == []


def test_settled_question_leads_to_storing(client: TestClient) -> None:
    table = (ROOT / "examples" / "receipts.csv").read_bytes()
    answer = client.post("/ui/reading", files={"file": ("receipts.csv", table)}, data={"duplicates": "sum"})
    assert "Store it" in answer.text
    assert 'data-unsay="duplicates"' in answer.text


def test_unreadable_file_is_shown_as_a_part_of_the_page(client: TestClient) -> None:
    sent = {"files": {"file": ("a.bin", b"\x00\x01" * 50)}, "headers": {"gatecast-part": "1"}}
    answer = client.post("/ui/reading", **sent)  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "<html" not in answer.text


def test_reading_for_a_page_of_another_origin_is_refused(client: TestClient) -> None:
    sent = {"files": {"file": ("a.csv", csv_bytes())}, "headers": {"sec-fetch-site": "cross-site"}}
    assert client.post("/ui/reading", **sent).status_code == 403  # type: ignore[arg-type]


def test_names_are_shown_and_not_run(client: TestClient) -> None:
    name = "<script>alert(1)</script>"
    found = upload(client, {name: trends()["series 0"]}, name=name)
    for path in ("", f"/series?unique_id={name}", f"/forecast?unique_id={name}"):
        page = client.get(f"/ui/datasets/{found['id']}{path}")
        assert page.status_code == 200
        assert "<script>alert" not in page.text


def test_start_says_what_needs_attention(client: TestClient, database: Database) -> None:
    failing, losing, old = (dataset(database, trends(length=20 + i)).id for i in range(3))
    ref = queued_job(database, failing)
    with database.write() as session:
        attempt = states.begin(session, ref, "worker", max_attempts=1) or 1
        states.fail(session, ref, attempt, "The memory did not suffice.")
    lost = judged_model(losing, verdicts={"lstm": {**examples.VERDICT, "outcome": "loses"}})
    with database.write() as session:
        publish(session, lost, promotion="always")
        publish(session, judged_model(old), promotion="always")
    new_version(database, old)
    page = client.get("/").text
    assert "The memory did not suffice." in page
    assert f"/ui/models/{lost.id}" in page
    assert page.count('<li class="note') == 3


def test_finished_dataset_needs_no_attention(client: TestClient, database: Database) -> None:
    found = dataset(database).id
    model = judged_model(found, skill=0.3)
    with database.write() as session:
        publish(session, model, promotion="always")
    with database.read() as session:
        assert model_queries.find(session, OWNER.workspace_id, model.id)
        assert catalog.get(session, OWNER, found).champion_id == model.id
    assert '<li class="note' not in client.get("/").text
