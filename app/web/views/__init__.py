"""The views of the page: each a module with its route."""

from app.web.views import datasets, forecasts, models, start, trainings

PAGES = (datasets, forecasts, trainings, models, start)  # the last takes every path that is left
