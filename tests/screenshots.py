"""Write a picture of every view of the page, in light and dark, on a desktop and a phone.

python -m tests.screenshots [FOLDER]
"""

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page

from app.db.engine import Database
from app.services.shared import database_admin
from app.web import static_files
from gatecast_client import Client
from tests.browsing import DESKTOP, PHONE, opened, running_browser
from tests.processes import running_service

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"desktop": DESKTOP, "phone": PHONE}
OPEN_QUESTION = ROOT / "examples" / "receipts.csv"
View = Callable[[Page], object]


def views(client: Client) -> dict[str, View]:
    """Return every view by name, as what shows it on a fresh page; trains a model for some of them."""
    dataset = client.upload(static_files.FOLDER / "population.csv", "Population")
    receipts = client.upload(OPEN_QUESTION, "Receipts", duplicates="sum")
    job = client.wait(client.train(dataset, 6, "quick"))
    running = client.train(dataset, 5, "accurate", architecture="all")
    below, forecast = f"/ui/datasets/{dataset.id}", f"/ui/datasets/{dataset.id}/forecast"
    return {
        "start": lambda page: page.goto("/"),
        "reading": lambda page: _dropped(page, static_files.FOLDER / "population.csv"),
        "question": lambda page: _dropped(page, OPEN_QUESTION),
        "unreadable": lambda page: _dropped(page, ROOT / "LICENSE"),
        "dataset": lambda page: page.goto(below),
        "series": lambda page: page.goto(f"{below}/series?unique_id=Norway"),
        "forecast": lambda page: page.goto(f"{forecast}?unique_id=Norway&level=80&level=95"),
        "forecast-months": lambda page: page.goto(f"/ui/datasets/{receipts.id}/forecast"),
        "several": lambda page: page.goto(f"{forecast}?unique_id=Norway&unique_id=Japan&unique_id=Brazil"),
        "training": lambda page: page.goto(f"/ui/jobs/{running.id}", wait_until="domcontentloaded"),
        "trained": lambda page: page.goto(f"/ui/jobs/{job.id}"),
        "model": lambda page: page.goto(f"/ui/models/{job.model_id}"),
        "nowhere": lambda page: page.goto("/ui/nowhere"),
    }


def write(browser: Browser, address: str, shown: dict[str, View], folder: Path) -> None:
    """Write the pictures of all views."""
    for scheme in ("light", "dark"):
        for size, viewport in SIZES.items():
            for name, view in shown.items():
                with opened(browser, address, viewport=viewport, color_scheme=scheme, locale="en") as page:
                    view(page)
                    page.wait_for_timeout(300)  # for charts, and a training's first events
                    page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=True)


def _dropped(page: Page, file: Path) -> None:
    page.goto("/")
    page.set_input_files("#file", file)
    page.wait_for_selector("#reading h2")


def main() -> None:
    """Run a service on data of its own, and write the pictures."""
    pictures = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    pictures.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/screenshots.db"
        database = Database(url)
        database_admin.migrate(database)
        database.dispose()
        with running_service(url, Path(folder)) as service, running_browser() as browser:
            with Client(service.url) as client:
                shown = views(client)
            write(browser, service.url, shown, pictures)


if __name__ == "__main__":
    main()
