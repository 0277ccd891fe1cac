"""Finished forecasts as bytes, ready to be sent again."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

from app.db.engine import DatasetRef
from app.observability import metrics
from app.services.shared.change_feed import ChangeFeed
from app.services.shared.lru import Lru

LARGEST = 256 * 1024  # bytes; longer answers are made anew
KEY_BYTES = 1000  # about what an answer takes beside its bytes
SPELLINGS = 20_000
LONGEST_SPELLING = 500

Spelling = tuple[bytes, bytes, bytes]
"""How a question was put: the parameters, what it accepts and who says to ask, to the letter."""


@dataclass(frozen=True)
class BodyKey:
    """All that the bytes of an answer depend on; under one key they are always the same."""

    release: str
    workspace_id: str
    model_id: str
    weights_sha256: str
    dataset_id: str
    dataset_version: int
    dataset_sha256: str  # of a database that was set back, a version's number may come again
    method: str
    warned: bool
    unique_ids: tuple[str, ...]
    limit: int | None
    after: str | None
    horizon: int
    levels: tuple[int, ...]
    media_type: str

    @cached_property
    def etag(self) -> str:
        """The weak entity tag: of what the answer is, not of its bytes."""
        fields = tuple(vars(self).values())
        return f'W/"{blake2b(repr(fields).encode(), digest_size=12).hexdigest()}"'

    @property
    def ref(self) -> DatasetRef:
        """The dataset whose changes concern it."""
        return DatasetRef(self.workspace_id, self.dataset_id)


@dataclass(frozen=True, eq=False)
class Body:
    """The bytes of an answer, with its headers as they are sent."""

    data: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    etag: bytes


class BodyCache:
    """Keeps answers by what they are, and what they are by how they were asked for.

    The bytes under a key never grow old; which key a question leads to holds until its dataset changes.
    """

    def __init__(self, limit_bytes: int, feed: ChangeFeed) -> None:
        self._feed = feed
        self._bodies: Lru[BodyKey, Body] = Lru(limit_bytes, lambda body: len(body.data) + KEY_BYTES)
        self._spellings: Lru[Spelling, tuple[BodyKey, int]] = Lru(SPELLINGS)

    def recall(self, spelling: Spelling) -> Body | None:
        """Return the answer to a question asked in these very words, if it is still right."""
        known = self._spellings.get(spelling)
        if known is None or not self._feed.is_current(known[0].ref, known[1]):
            return None
        return self._bodies.get(known[0])

    def get(self, key: BodyKey) -> Body | None:
        """Return the answer under a key."""
        return self._bodies.get(key)

    def put(self, key: BodyKey, body: Body) -> None:
        """Keep an answer, unless it is long."""
        if len(body.data) <= LARGEST:
            self._bodies.put(key, body)
            metrics.RESPONSE_CACHE_BYTES.set(self._bodies.size)

    def learn(self, spelling: Spelling, key: BodyKey, moment: int) -> None:
        """Take note that a question leads to a key, as was found out at a moment."""
        if sum(map(len, spelling)) <= LONGEST_SPELLING:
            self._spellings.put(spelling, (key, moment))
