"""What a call may raise.

GatecastError
├── ServiceError    the service refused the call; it has `status`, `type` and `errors`
├── NoAnswer        there is no service, or the connection broke off again and again
├── JobFailed       a training ended without a model
└── MissingPandas   the call makes DataFrames, and pandas is not installed
"""

import httpx2
from pydantic import ValidationError

from gatecast_client.shapes import Problem, ProblemPart


class GatecastError(Exception):
    """Anything that this client raises of its own."""


class ServiceError(GatecastError):
    """The service refused a call; the text is the detail of its problem document.

    `status` is that of HTTP, `type` names the kind of error (`urn:gatecast:problem:...`, `about:blank` where
    something before the service answered), and `errors` lists the single mistakes with their places.
    """

    def __init__(
        self, detail: str, status: int, kind: str = "about:blank", errors: tuple[ProblemPart, ...] = ()
    ) -> None:
        super().__init__(detail)
        self.status, self.type, self.errors = status, kind, errors


class NoAnswer(GatecastError):
    """The service gave no answer, or none that can be read."""


class JobFailed(GatecastError):
    """A training ended without a model; the text is the reason."""


class MissingPandas(GatecastError, ImportError):
    """The call makes a DataFrame, and pandas is not installed."""


class ForecastWarning(UserWarning):
    """What the service has to say against a forecast that it gives."""


def refusal(response: httpx2.Response) -> ServiceError:
    """Return the error that a response is."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return ServiceError(f"The service answered {response.status_code}.", response.status_code)
    return ServiceError(problem.detail, problem.status, problem.type, tuple(problem.errors))
