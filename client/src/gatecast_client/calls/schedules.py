"""Schedules: trainings at the times of a cron expression."""

from typing import Unpack

from gatecast_client.core import Core, Pages, Ref, call, id_of, items, listing, path_to
from gatecast_client.flow import Flow, Request
from gatecast_client.options import Preset, Training, said
from gatecast_client.shapes import Schedule


class ScheduleCalls(Core):
    """The calls under `/schedules`."""

    @call
    def create_schedule(
        self,
        dataset: Ref,
        cron: str,
        horizon: int,
        preset: Preset | None = None,
        **training: Unpack[Training],
    ) -> Flow[Schedule]:
        """Queue a training at each time of a cron expression, in UTC, such as `0 6 * * 1`."""
        settings = said({"horizon": horizon, "preset": preset, **training})
        body = {"dataset_id": id_of(dataset), "cron": cron, "train": settings}
        return self.create(Schedule, Request("POST", "/schedules", json=body))

    @items
    def schedules(self, dataset: Ref | None = None) -> Pages[Schedule]:
        """List all schedules, or those of a dataset, newest first."""
        dataset_id = None if dataset is None else id_of(dataset)
        return Pages(self, Schedule, "schedules", listing("/schedules", dataset_id=dataset_id))

    @call
    def schedule(self, schedule: Ref) -> Flow[Schedule]:
        """Return a schedule."""
        return self.fetch(Schedule, Request("GET", path_to("schedules", schedule)))

    @call
    def pause_schedule(self, schedule: Ref, *, paused: bool = True) -> Flow[Schedule]:
        """Pause or resume a schedule."""
        return self.fetch(Schedule, Request("PATCH", path_to("schedules", schedule), json={"paused": paused}))

    @call
    def delete_schedule(self, schedule: Ref) -> Flow[None]:
        """Delete a schedule."""
        yield from self.send(Request("DELETE", path_to("schedules", schedule)))
