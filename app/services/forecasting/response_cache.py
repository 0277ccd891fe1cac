"""Keep finished responses in memory, ready to be sent again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

from app.db.engine import DatasetRef
from app.observability import metrics
from app.services.shared.change_feed import ChangeFeed
from app.services.shared.lru import Lru
from models.choices import Limits

LARGEST = 256 * 1024  # bytes; longer responses are not kept
KEY_BYTES = 1000  # roughly the memory of a response beside its bytes
RAW_REQUESTS = 20_000
LONGEST_RAW_REQUEST = 500

RawRequestKey = tuple[bytes, bytes, bytes]
"""The bytes of a request that decide its response: query string, `Accept` and `Authorization`."""
Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class ResponseKey:
    """All that the content of a response depends on: it never changes under its key."""

    release: str
    workspace_id: str
    model_id: str
    weights_sha256: str
    dataset_id: str
    dataset_version: int
    dataset_sha256: str  # after a restore of the database, a version's number may come again
    method: str
    warning: str | None
    unique_ids: tuple[str, ...]
    limit: int | None
    after: str | None
    horizon: int
    until: int | None
    levels: tuple[int, ...]
    limits: Limits
    media_type: str
    quote_formulas: bool

    @cached_property
    def etag(self) -> bytes:
        """The weak entity tag: it identifies the content, not its bytes."""
        fields = tuple(vars(self).values())
        return f'W/"{blake2b(repr(fields).encode(), digest_size=12).hexdigest()}"'.encode()

    @property
    def ref(self) -> DatasetRef:
        """The dataset whose changes make the response stale."""
        return DatasetRef(self.workspace_id, self.dataset_id)


@dataclass(frozen=True, eq=False)
class FinishedResponse:
    """A response as it is sent. An ad hoc forecast has no entity tag."""

    data: bytes
    headers: Headers
    etag: bytes = b""
    status: int = 200

    @classmethod
    def of(cls, data: bytes, headers: Mapping[str, str], etag: bytes = b"") -> "FinishedResponse":
        """Return a response of 200 with these headers, its length, and the headers for revalidation."""
        own = {**headers, "content-length": str(len(data))}
        encoded = tuple((name.encode(), text.encode()) for name, text in own.items())
        return cls(data, (*encoded, *(revalidation_headers(etag) if etag else ())), etag)


def not_modified(etag: bytes) -> FinishedResponse:
    """Return the response to a caller who has this entity tag already."""
    return FinishedResponse(b"", revalidation_headers(etag), etag, 304)


def revalidation_headers(etag: bytes) -> Headers:
    """Return the headers that let a caller keep a response, but revalidate it before each use."""
    return ((b"etag", etag), (b"cache-control", b"private, no-cache"), (b"vary", b"accept, accept-encoding"))


def etag_matches(if_none_match: bytes | None, etag: bytes) -> bool:
    """Return whether `If-None-Match` names an entity tag; weakly compared (RFC 9110, 13.1.2)."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == b"*" or etag.removeprefix(b"W/") in (
        part.strip().removeprefix(b"W/") for part in if_none_match.split(b",")
    )


class ResponseCache:
    """Responses by entity tag, which stands for a response key, and entity tags by raw request.

    A response never gets stale under its key. A raw request leads to its key until the dataset changes.
    """

    def __init__(self, limit_bytes: int, feed: ChangeFeed) -> None:
        self._feed = feed
        self._responses: Lru[bytes, FinishedResponse] = Lru(
            limit_bytes, lambda response: len(response.data) + KEY_BYTES
        )
        self._keys: Lru[RawRequestKey, tuple[bytes, DatasetRef, int]] = Lru(RAW_REQUESTS)

    def find(self, raw_key: RawRequestKey) -> FinishedResponse | None:
        """Return the response to a raw request; None if it is not in memory or its dataset has changed."""
        cached = self._keys.get(raw_key)
        if cached is None:
            return None
        etag, ref, moment = cached
        return self._responses.get(etag) if self._feed.is_current(ref, moment) else None

    def get(self, key: ResponseKey) -> FinishedResponse | None:
        """Return the response under a key."""
        return self._responses.get(key.etag)

    def put(self, key: ResponseKey, response: FinishedResponse) -> None:
        """Keep a response, unless it is long."""
        if len(response.data) <= LARGEST:
            self._responses.put(key.etag, response)
            metrics.RESPONSE_CACHE_BYTES.set(self._responses.size)

    def remember(self, raw_key: RawRequestKey, key: ResponseKey, moment: int) -> None:
        """Remember the key of a raw request, as it was at a moment of the change feed."""
        if sum(map(len, raw_key)) <= LONGEST_RAW_REQUEST:
            self._keys.put(raw_key, (key.etag, key.ref, moment))
