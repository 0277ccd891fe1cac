"""A browser for tests: Debian's chromium, driven by Playwright, that reaches this machine alone."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start a browser; without one here, skip the test."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium here (Debian: apt-get install chromium)")
    closed = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=closed)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Open a page of a service in a profile of its own; paths are below its address."""
    context = browser.new_context(base_url=address, viewport=options.pop("viewport", DESKTOP), **options)
    yield context.new_page()
    context.close()
