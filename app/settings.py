"""All settings of the service: read from the environment once, validated, and passed on as an argument."""

import difflib
import os
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "GATECAST_"
MEBIBYTE = 1024 * 1024
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104  # every address of the machine


class SettingsError(Exception):
    """One or more settings cannot be used; the text has a sentence for each."""


def _database_url(url: str) -> str:
    """Return the URL with its driver, so that all spellings of it mean the same."""
    if re.match(r"sqlite:///[^:]", url):
        return url
    if re.match(r"postgres(ql)?(\+psycopg)?://[^/]*/[^/]+", url) and _has_good_port(url):
        return "postgresql+psycopg://" + url.split("://", 1)[1]
    message = "must be sqlite:///FILE (a file) or postgresql://USER@HOST:PORT/NAME (a server)"
    raise ValueError(message)


def _has_good_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _split_list(text: Any) -> Any:
    """Split a comma-separated list, as an environment variable holds it."""
    return re.findall(r"[^,\s]+", text.lower()) if isinstance(text, str) else text


def _host_name(name: str) -> str:
    if re.fullmatch(r"[a-z0-9_.-]+|[0-9a-f:]*:[0-9a-f:]*", name):
        return name
    message = "must be names or addresses with commas between, each without a port: forecasts.example"
    raise ValueError(message)


def _origin(origin: str) -> str:
    if re.fullmatch(r"https?://([a-z0-9_.-]+|\[[0-9a-f:]+\])(:\d+)?", origin):
        return origin
    message = "must be whole origins with commas between, each without a path: https://app.example"
    raise ValueError(message)


HostNames = Annotated[
    tuple[Annotated[str, AfterValidator(_host_name)], ...], NoDecode, BeforeValidator(_split_list)
]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_split_list)
]


class Settings(BaseSettings):
    """The settings; the environment variable of each is its name in capitals after `GATECAST_`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True)

    database_url: Annotated[
        str,
        AfterValidator(_database_url),
        Field(description="Where everything is stored: `sqlite:///FILE` or `postgresql://USER@HOST/NAME`."),
    ] = "sqlite:///gatecast.db"
    host: Annotated[str, Field(description="Address the API listens on.")] = "127.0.0.1"
    open: Annotated[
        bool,
        Field(description="Allow a `GATECAST_HOST` that other machines reach; there are no keys."),
    ] = False
    port: Annotated[int, Field(ge=1, le=65535, description="Port the API listens on.")] = 8000
    allowed_hosts: Annotated[
        HostNames,
        Field(description="Host names that the API answers to, beside its addresses; comma-separated."),
    ] = ()
    cors_origins: Annotated[
        Origins,
        Field(description="Origins whose pages may use the API from a browser, such as https://app.example."),
    ] = ()
    api_workers: Annotated[
        int, Field(ge=1, description="Processes that answer requests; each has its own models in memory.")
    ] = 1
    device: Annotated[
        str,
        Field(
            pattern=r"^(auto|cpu|cuda:\d+)$",
            description="`cpu`, `cuda:N`, or `auto`: the first GPU, if there is one, for trainings, "
            "and the CPU for forecasts.",
        ),
    ] = "auto"
    max_upload_mb: Annotated[int, Field(ge=1, description="Largest upload of a file, in MiB.")] = 512
    max_json_mb: Annotated[int, Field(ge=1, description="Largest body of series as JSON, in MiB.")] = 64
    max_columns: Annotated[int, Field(ge=2, description="Most columns of an uploaded table.")] = 20_000
    model_cache_mb: Annotated[
        int, Field(ge=1, description="Memory for loaded models in the API process, in MiB.")
    ] = 512
    response_cache_mb: Annotated[
        int, Field(ge=1, description="Memory for finished responses in the API process, in MiB.")
    ] = 64
    max_requests: Annotated[
        int,
        Field(
            ge=1,
            description="Requests that run at a time in an API process, and as many more with a body; others "
            "are refused.",
        ),
    ] = 256
    max_attempts: Annotated[
        int, Field(ge=1, description="Attempts at a training whose process dies before it counts as failed.")
    ] = 3
    worker_deadline_s: Annotated[
        float,
        Field(gt=1, description="Seconds without a heartbeat after which a worker elsewhere counts as dead."),
    ] = 30.0
    worker_concurrency: Annotated[
        int, Field(ge=1, description="Trainings at a time on this worker's device, each in a worker process.")
    ] = 1
    worker_memory_mb: Annotated[
        int | None,
        Field(
            ge=1,
            description="Memory that one training may use, in MiB; by default its share of four fifths of "
            "the memory of the machine or the container.",
        ),
    ] = None
    max_trainings: Annotated[
        int | None,
        Field(ge=1, description="Trainings at a time over all workers; by default as many as they take."),
    ] = None
    keep_versions: Annotated[
        int,
        Field(
            ge=1,
            description="How many of a dataset's newest versions are kept, beside those that models were "
            "trained on.",
        ),
    ] = 20
    keep_finished_days: Annotated[
        float, Field(ge=0, description="Days until a finished job is removed from the queue's tables.")
    ] = 7.0
    access_log: Annotated[
        bool, Field(description="Log every request; by default only those that were refused or failed.")
    ] = False
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="How much is logged.")
    ] = "info"


def load_settings(**options: Any) -> Settings:
    """Return the settings from the environment; `options`, by field name, take precedence.

    Raises SettingsError with a sentence for each variable that is unknown or invalid. Values are not
    repeated, since a database URL may hold a password.
    """
    check_names()
    try:
        return Settings(**options)
    except ValidationError as error:
        lines = [f"{PREFIX}{str(e['loc'][0]).upper()}: {_message(e)}." for e in error.errors()]
        raise SettingsError("\n".join(lines)) from error


def check_names() -> None:
    """Raise SettingsError for each variable with our prefix that is no setting: it is probably misspelt."""
    ours = [name for name in os.environ if name.upper().startswith(PREFIX)]
    if unknown := [name for name in ours if name[len(PREFIX) :].lower() not in Settings.model_fields]:
        raise SettingsError("\n".join(map(_unknown, unknown)))


def _message(error: Any) -> str:
    return str(error["msg"]).removeprefix("Value error, ")


def _unknown(name: str) -> str:
    known = [PREFIX + field.upper() for field in Settings.model_fields]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"There are {', '.join(known)}."
    return f"{name} is not a setting. {hint}"
