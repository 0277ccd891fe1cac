"""Choose the media type of a response by the parameter `format`, else by `Accept` (RFC 9110, 12.5.1)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request

from app.errors import NotAcceptable
from app.schemas.media_types import FORMATS, HTML, JSON, PNG, SVG, TABLES, ForecastFormat, TableFormat

QUALITY = r"0(\.[0-9]{0,3})?|1(\.0{0,3})?"  # RFC 9110, 12.4.2


FORMAT = "How to write the answer, where `Accept` cannot say it, as in a link; goes before `Accept`."
QUOTE_FORMULAS = (
    "In CSV, put an apostrophe before each text that a spreadsheet would compute: one that begins with "
    "=, +, -, @ or a tab."
)
TABLE_OFFERS = (JSON, *TABLES)
FORECAST_OFFERS = (*TABLE_OFFERS, PNG, SVG)


class Form(NamedTuple):
    """How an answer is written."""

    media_type: str
    quote_formulas: bool


# OpenAPI lists the media types with the response: it does not allow `Accept` as a parameter.
async def _as_table(
    request: Request,
    *,
    name: Annotated[TableFormat | None, Query(alias="format", description=FORMAT)] = None,
    quote_formulas: Annotated[bool, Query(description=QUOTE_FORMULAS)] = False,
) -> Form:
    return Form(media_type_of(name, request.headers.get("accept", "*/*"), TABLE_OFFERS), quote_formulas)


async def _as_forecast(
    request: Request,
    *,
    name: Annotated[ForecastFormat | None, Query(alias="format", description=FORMAT)] = None,
    quote_formulas: Annotated[bool, Query(description=QUOTE_FORMULAS)] = False,
) -> Form:
    return Form(media_type_of(name, request.headers.get("accept", "*/*"), FORECAST_OFFERS), quote_formulas)


TableForm = Annotated[Form, Depends(_as_table)]
ForecastForm = Annotated[Form, Depends(_as_forecast)]


@lru_cache(maxsize=100)  # programs send the same header each time
def media_type_of(name: str | None, accept: str, offers: tuple[str, ...]) -> str:
    """Return the media type that `format` names, else the best one by `accept`; raises as `negotiate`."""
    return FORMATS[name] if name else negotiate(accept, offers)


def negotiate(accept: str, offers: tuple[str, ...]) -> str:
    """Return the offer with the highest quality in `accept`, the first of several.

    Raises NotAcceptable if `accept` allows none of the offers.
    """
    qualities = dict(_parse_range(part) for part in (accept or "*/*").split(","))
    quality_of = {offer: _quality(qualities, offer) for offer in offers}
    # A browser that wants a page also lists the images it can show, but does not want one of them instead.
    without_images = [offer for offer in offers if not (HTML in qualities and offer.startswith("image/"))]
    for group in (without_images, offers):
        best = max(group, key=lambda offer: quality_of[offer])
        if quality_of[best] > 0:
            return best
    listed = f"{', '.join(offers[:-1])} or {offers[-1]}"
    raise NotAcceptable(f"This answer comes as {listed}; Accept names none of them: {accept}.")


def _quality(qualities: Mapping[str, float], offer: str) -> float:
    """Return the quality of a media type, by the most specific range that matches it."""
    matching = (offer, f"{offer.partition('/')[0]}/*", "*/*")
    return next((qualities[each] for each in matching if each in qualities), 0.0)


def _parse_range(part: str) -> tuple[str, float]:
    """Return a media range and its quality; 0 for a quality that is malformed."""
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    return media_range, float(quality) if re.fullmatch(QUALITY, quality) else 0.0
