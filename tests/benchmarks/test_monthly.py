"""Addresses of forecasts, and calls for series the service never saw."""

import json

import pandas as pd

from benchmarks.monthly import Monthly, path


def test_names_are_percent_encoded() -> None:
    assert "&unique_id=b%2Fc%20%26d&" in path("ds", "b/c &d")


def test_copies_of_series_have_names_of_their_own() -> None:
    rows = pd.DataFrame({"unique_id": ["a", "a", "b"], "ds": ["1980-01-01"] * 3, "y": [1.0, 2.0, 3.0]})
    assert Monthly(rows).times(3).names == ["a", "b", "a 1", "b 1", "a 2", "b 2"]


def test_ad_hoc_series_have_names_of_their_own() -> None:
    rows = pd.DataFrame({"unique_id": ["a", "b"], "ds": ["1980-01-01", "1980-01-01"], "y": [1.0, 2.0]})
    body = json.loads(Monthly(rows).ad_hoc_body("ds", 1))
    assert body["observations"] == [{"unique_id": "ad hoc a", "ds": "1980-01-01", "y": 1.0}]
