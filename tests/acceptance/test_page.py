"""A reader with a file and a browser comes to a forecast on a real service; nothing is asked elsewhere."""

import csv
import io
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from app.web import static_files
from gatecast_client import Client
from tests.browsing import DESKTOP, PHONE, opened, running_browser
from tests.processes import Service, running_service

pytestmark = pytest.mark.long
RECEIPTS = Path(__file__).resolve().parents[2] / "examples" / "receipts.csv"
POPULATION = static_files.FOLDER / "population.csv"
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("page")
    with running_service(f"sqlite:///{folder / 'page.db'}", folder) as service:
        yield service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, served: Service) -> Iterator[Page]:
    with opened(browser, served.url, locale="en-GB") as page:
        yield page


def watched(page: Page, address: str) -> list[str]:
    """Return a list that fills with what fails to load, is asked elsewhere or is refused by the policy."""
    wrong: list[str] = []
    page.on("requestfailed", lambda request: wrong.append(f"{request.failure}: {request.url}"))
    page.on("request", lambda request: None if request.url.startswith(address) else wrong.append(request.url))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    return wrong


def serious(wrong: list[str]) -> list[str]:
    """Return these without what a page ended itself: a stream of events, a download."""
    return [each for each in wrong if not each.startswith("net::ERR_ABORTED")]


def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong with the page as it stands."""
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, rules)", RULES)["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-GB", "de-DE", "zh-CN"])
def test_reader_settles_a_question_and_sees_a_forecast_without_a_training(
    browser: Browser, served: Service, viewport: dict[str, int], colours: Any, locale: str
) -> None:
    with opened(browser, served.url, viewport=viewport, color_scheme=colours, locale=locale) as page:
        wrong = watched(page, served.url)
        page.goto("/")
        assert violations(page) == []
        page.set_input_files("#file", RECEIPTS)
        page.get_by_role("radio").first.click()
        store = page.locator("#reading button[type=submit]")
        expect(store).to_be_visible()
        assert violations(page) == []
        store.click()
        page.wait_for_url("**/forecast")
        expect(page.locator(".chart canvas")).to_be_visible()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert serious(wrong) == []


def test_sample_leads_to_a_forecast_by_two_clicks(page: Page) -> None:
    page.goto("/")
    page.locator("[data-sample]").click()
    page.locator("#reading button[type=submit]").click()
    expect(page.locator(".chart canvas")).to_be_visible()
    expect(page.locator(".sentence")).to_contain_text("million")


def test_keyboard_alone_leads_to_a_forecast(page: Page) -> None:
    page.goto("/")
    page.locator("[data-sample]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#reading h2")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/forecast")
    chart = page.locator("[data-chart]")
    chart.focus()
    page.keyboard.press("End")
    expect(chart.locator(".readout")).to_contain_text("Median")
    page.keyboard.press("Home")
    expect(chart.locator(".readout")).to_contain_text("Observed")


def test_change_of_a_column_is_read_again_and_can_be_taken_back(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#file", POPULATION)
    page.locator("[data-column=unique_id]").select_option("unused")
    expect(page.locator("[data-unsay=unused_columns]")).to_be_visible()
    page.locator("[data-unsay=unused_columns]").click()
    expect(page.locator("[data-unsay=unused_columns]")).to_have_count(0)


def test_workbook_is_read_as_a_text_is(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "load.xlsx"
    pd.DataFrame({"day": pd.date_range("2024-01-01", periods=60), "load": range(60)}).to_excel(
        file, index=False
    )
    page.goto("/")
    page.set_input_files("#file", file)
    expect(page.locator("[data-column=load]")).to_have_value("target")
    expect(page.locator("#reading button[type=submit]")).to_be_visible()


def test_file_that_cannot_be_read_is_shown_with_what_to_do(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "empty.csv"
    file.write_text("a,b\n")
    page.goto("/")
    page.set_input_files("#file", file)
    expect(page.locator("#reading [role=alert]").first).to_be_visible()
    assert violations(page) == []


def test_reader_trains_watches_judges_and_takes_the_numbers_along(page: Page, served: Service) -> None:
    with Client(served.url) as client:
        dataset = client.upload(POPULATION, "Countries")
    wrong = watched(page, served.url)
    page.goto(f"/ui/datasets/{dataset.id}")
    assert violations(page) == []
    page.get_by_role("button", name="Train a model").click()
    page.wait_for_url("**/ui/jobs/*")
    assert violations(page) == []
    page.get_by_role("link", name="See how good the model is").click(timeout=240_000)
    expect(page.locator(".sentence")).to_contain_text("simple method")
    assert violations(page) == []
    page.get_by_role("link", name="See its forecast").click()
    page.locator("input[name=horizon]").fill("3")
    page.locator("input[name=horizon]").press("Enter")
    page.wait_for_url("**horizon=3**")
    page.get_by_label("90 %").check()
    page.wait_for_url("**level=90**")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    with Client(served.url) as client:
        (answer,) = client.forecasts(dataset, unique_id=[rows[0]["unique_id"]], horizon=3, level=[80, 90, 95])
    assert [float(row["forecast"]) for row in rows] == pytest.approx(answer.forecast, rel=1e-9)
    assert [float(row["lo-90"]) for row in rows] == pytest.approx(answer.intervals["90"].lo, rel=1e-9)
    assert serious(wrong) == []


def test_reader_cancels_a_training(page: Page, served: Service) -> None:
    with Client(served.url) as client:
        dataset = client.upload(POPULATION, "Cancelled")
        job = client.train(dataset, 6, "accurate", architecture="all")
    page.goto(f"/ui/jobs/{job.id}")
    page.get_by_role("button", name="Cancel the training").click()
    expect(page.locator("h1")).to_contain_text("cancelled", timeout=30_000)
    assert violations(page) == []


def test_reader_appends_rows_and_changes_a_limit(page: Page, served: Service, tmp_path: Path) -> None:
    with Client(served.url) as client:
        dataset = client.upload(POPULATION, "Growing")
    more = tmp_path / "more.csv"
    more.write_text("unique_id,ds,y\nNorway,2024,5600000\nNorway,2023,5530000\n")
    page.goto(f"/ui/datasets/{dataset.id}")
    page.set_input_files("#more", more)
    page.get_by_role("button", name="Append").click()
    expect(page.get_by_role("status")).to_contain_text("Rows appended: 1, corrected: 1")
    page.get_by_text("Name, limits and season").click()
    page.locator("input[name=lower]").fill("0")
    page.get_by_role("button", name="Save").click()
    page.wait_for_load_state()
    with Client(served.url) as client:
        changed = client.dataset(dataset.id)
    assert (changed.version, changed.lower) == (2, 0.0)


def test_search_follows_what_is_typed_and_stays_in_the_address(page: Page, served: Service) -> None:
    with Client(served.url) as client:
        dataset = client.upload(POPULATION, "Searched")
    page.goto(f"/ui/datasets/{dataset.id}")
    page.get_by_role("searchbox").fill("nor")
    expect(page.locator("#series-list tbody tr")).to_have_count(1)
    assert page.url.endswith("?search=nor")


def test_page_with_a_chart_takes_less_than_half_a_megabyte(browser: Browser, served: Service) -> None:
    with Client(served.url) as client:
        dataset = client.upload(POPULATION, "Quick")
        list(client.forecasts(dataset, unique_id=["Norway"]))
    with opened(browser, served.url) as page:
        page.goto(f"/ui/datasets/{dataset.id}/forecast?unique_id=Norway")
        page.wait_for_selector(".chart canvas")
        size = page.evaluate(
            "performance.getEntries().reduce((sum, each) => sum + (each.transferSize || 0), 0)"
        )
    assert size < 500_000
