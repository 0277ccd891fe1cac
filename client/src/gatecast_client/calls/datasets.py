"""Datasets: upload, look, append, change."""

from collections.abc import Mapping
from typing import Any, Unpack

from gatecast_client.core import Core, Pages, Ref, call, items, listing, path_to
from gatecast_client.flow import Flow, Request
from gatecast_client.options import Limiting, Reading, Seasons, Uploading, form, said
from gatecast_client.shapes import (
    Appended,
    Dataset,
    DatasetSummary,
    Observations,
    Preview,
    Series,
    Version,
)
from gatecast_client.tables import Rows, Table, file_of, is_frame, rows_of


class _Page(Observations):
    next: str | None


class DatasetCalls(Core):
    """The calls under `/datasets`."""

    @call
    def upload(self, data: Table, name: str | None = None, **options: Unpack[Uploading]) -> Flow[Dataset]:
        """Upload a DataFrame, a file or its bytes as a new dataset, named after the file by default.

        `options` say how to read it, such as `target_column="Close"` or `duplicates="sum"`, the
        `season_length`, and the limits that its forecasts stay in. Raises ServiceError, whose `errors` say
        which rows or options are to be mended.
        """
        return uploaded(self, data, name, options)

    @call
    def preview(self, data: Table, **reading: Unpack[Reading]) -> Flow[Preview]:
        """Show how a table would be read, and what is open; nothing is stored."""
        files, fields = {"file": file_of(data)}, form(reading)
        return self.fetch(
            Preview, Request("POST", "/datasets", params={"preview": True}, files=files, data=fields)
        )

    @items
    def datasets(self, name: str | None = None) -> Pages[DatasetSummary]:
        """List all datasets, or those of a name, newest first."""
        return Pages(self, DatasetSummary, "datasets", listing("/datasets", name=name))

    @call
    def dataset(self, dataset: Ref) -> Flow[Dataset]:
        """Return a dataset."""
        return self.fetch(Dataset, Request("GET", path_to("datasets", dataset)))

    @call
    def update_dataset(
        self,
        dataset: Ref,
        *,
        name: str | None = None,
        season_length: Seasons | None = None,
        **limits: Unpack[Limiting],
    ) -> Flow[Dataset]:
        """Change the `name`, the `season_length`, or the limits `lower`, `upper` and `integer`.

        None removes a limit.
        """
        changes = {**said({"name": name, "season_length": season_length}), **limits}
        return self.fetch(Dataset, Request("PATCH", path_to("datasets", dataset), json=changes))

    @call
    def delete_dataset(self, dataset: Ref) -> Flow[None]:
        """Delete a dataset and its models."""
        yield from self.send(Request("DELETE", path_to("datasets", dataset)))

    @items
    def versions(self, dataset: Ref) -> Pages[Version]:
        """List the versions of a dataset, newest first."""
        return Pages(self, Version, "versions", listing(path_to("datasets", dataset, "versions")))

    @items
    def series(self, dataset: Ref, search: str | None = None) -> Pages[Series]:
        """List the series of a dataset by name; only those whose name holds the text `search`."""
        return Pages(self, Series, "series", listing(path_to("datasets", dataset, "series"), search=search))

    @call
    def observations(self, dataset: Ref, unique_id: str) -> Flow[Observations]:
        """Return all observations of a series, with the columns beside them."""
        request = listing(path_to("datasets", dataset, "observations"), unique_id=unique_id)
        pages = [(yield from self.fetch(_Page, request))]
        while (cursor := pages[-1].next) is not None:
            following = Request("GET", request.path, params={**request.params, "cursor": cursor})
            pages.append((yield from self.fetch(_Page, following)))
        return _joined(pages)

    @call
    def append(self, dataset: Ref, data: Table | Rows, **reading: Unpack[Reading]) -> Flow[Appended]:
        """Append rows to a dataset, or correct existing ones; the next forecast uses them.

        `missing` says what the steps between mean, which lets rows lie far away.
        """
        path = path_to("datasets", dataset, "observations")
        if is_frame(data) or isinstance(data, str | bytes) or hasattr(data, "__fspath__"):
            fields = form(reading)
            return self.create(Appended, Request("POST", path, files={"file": file_of(data)}, data=fields))
        body = {**reading, "observations": rows_of(data)}
        return self.create(Appended, Request("POST", path, json=body))


def uploaded(
    core: Core, data: Table, name: str | None = None, options: Mapping[str, Any] | None = None
) -> Flow[Dataset]:
    """Upload a table as a new dataset."""
    fields = form({"name": name, **(options or {})})
    return core.create(
        Dataset, Request("POST", "/datasets", files={"file": file_of(data, name)}, data=fields)
    )


def _joined(pages: list[_Page]) -> Observations:
    first = pages[0]
    return Observations(
        unique_id=first.unique_id,
        dataset_id=first.dataset_id,
        dataset_version=first.dataset_version,
        ds=[time for page in pages for time in page.ds],
        y=[value for page in pages for value in page.y],
        columns={name: [cell for page in pages for cell in page.columns[name]] for name in first.columns},
        static=first.static,
    )
