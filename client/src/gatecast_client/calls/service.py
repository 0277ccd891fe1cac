"""The service itself: its workers, its health."""

import httpx2

from gatecast_client.core import Core, Pages, call, items, listing
from gatecast_client.flow import Flow, Request, Send
from gatecast_client.shapes import Health, Readiness, Worker


class ServiceCalls(Core):
    """The calls of `/workers`, `/healthz`, `/readyz` and `/metrics`."""

    @items
    def workers(self) -> Pages[Worker]:
        """List the processes that train, newest first."""
        return Pages(self, Worker, "workers", listing("/workers"))

    @call
    def health(self) -> Flow[Health]:
        """Return whether the process runs."""
        return self.fetch(Health, Request("GET", "/healthz"))

    @call
    def readiness(self) -> Flow[Readiness]:
        """Return what the service does and does not do; raises ServiceError while it answers nothing."""
        return self.fetch(Readiness, Request("GET", "/readyz"))

    @call
    def is_ready(self) -> Flow[bool]:
        """Return whether the service answers, at once."""
        try:
            response = yield Send(Request("GET", "/readyz"))
        except httpx2.TransportError:
            return False
        is_ready: bool = response.is_success
        return is_ready

    @call
    def metrics(self) -> Flow[str]:
        """Return the metrics in the format of Prometheus."""
        response = yield from self.send(Request("GET", "/metrics"))
        return response.text
