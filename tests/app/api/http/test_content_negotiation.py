"""The media type that `Accept` chooses."""

import pytest

from app.api.http.content_negotiation import negotiate
from app.errors import NotAcceptable
from app.schemas.media_types import ARROW, CSV, JSON, NDJSON, PNG, SVG

OFFERS = (JSON, CSV, NDJSON, ARROW, PNG, SVG)
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/png,image/svg+xml,*/*;q=0.8"
PICTURE_IN_A_PAGE = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json;q=0, text/csv", CSV),
        ("text/*", CSV),
        ("*/*;q=0.1, text/csv", CSV),
        ("application/x-ndjson, application/json;q=0.9", NDJSON),
        (ARROW.upper(), ARROW),
        ("image/*", PNG),
        ("image/svg+xml, image/png;q=0.5", SVG),
        ("text/csv; q=half, image/png; q=0.1", PNG),
    ],
)
def test_offer_liked_best_is_chosen_and_of_equals_the_first(accept: str, chosen: str) -> None:
    assert negotiate(accept, OFFERS) == chosen


@pytest.mark.parametrize("accept", [CHROME, FIREFOX, "text/html, */*;q=0.1, image/*"])
def test_browser_in_want_of_a_page_gets_no_picture(accept: str) -> None:
    assert negotiate(accept, OFFERS) == JSON


@pytest.mark.parametrize("accept", [PICTURE_IN_A_PAGE, "text/html, image/png"])
def test_image_is_chosen_only_where_nothing_else_is_as_good(accept: str) -> None:
    assert negotiate(accept, OFFERS) == PNG


def test_what_is_not_offered_is_refused_with_what_is() -> None:
    with pytest.raises(NotAcceptable, match=f"{JSON} or {CSV}; .*: image/png"):
        negotiate("image/png", (JSON, CSV))
