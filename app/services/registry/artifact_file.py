"""A model as one file to keep: its weights, all that they are used with, and a card for people.

The zip holds `weights.safetensors` as it is stored, `model.json` with what `models` takes beside it, and
`README.md`, the model card (Mitchell et al., 2019, Model Cards for Model Reporting).
"""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app import blobs
from app.auth import Principal
from app.db.engine import Session
from app.db.queries import datasets as dataset_queries
from app.db.tables import Model
from app.digest import sha256
from app.schemas.models import ModelOut
from app.services.registry import models

WEIGHTS, FACTS, CARD = "weights.safetensors", "model.json", "README.md"
CHANGEABLE = {
    "champion",
    "promotion",
    "name",
    "on_loss",
}  # what is said of a model, and may be said otherwise
PART_BYTES = 1 << 18
EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip can name: equal models give equal bytes
PURPOSE = f"""\
## What it is for

Forecasts of series like those it was trained on, at their time steps, which `axis` in `{FACTS}` names. Of
other series nothing was tested."""
LOADING = """\
With the package `models` of the same version of Gatecast; `model.json` has the configuration, and each
method's weights and calibration.

```python
import json, zipfile
from models.methods.combination import Method, forecast_by
from models.network.artifact import load
from models.panel import Panel

with zipfile.ZipFile("{model_id}.zip") as file:
    facts = json.loads(file.read("model.json"))
    network = load(file.read("weights.safetensors"), facts["artifact"])
method = Method.from_dict(facts["methods"][facts["served"]])
forecast = forecast_by(method, network, Panel.of([[112.0, 118.0, 132.0]]), levels=[80])
```
"""


@dataclass(frozen=True)
class ArtifactFile:
    """The parts of the file but the weights, which are read last: `etag` tells whether they are needed."""

    workspace_id: str
    stem: str
    weights_key: str
    facts: bytes
    card: bytes

    @property
    def etag(self) -> bytes:
        """The entity tag of the file, a strong one: the facts name the hash of the weights."""
        return f'"{sha256(self.facts + self.card)}"'.encode()


def find(session: Session, principal: Principal, model_id: str) -> ArtifactFile:
    """Return what the file of a model holds beside its weights. Raises NotFound."""
    model, _ = models.find(session, principal, model_id)
    shown = models.get(session, principal, model_id)
    facts = {
        "model": shown.model_dump(mode="json", exclude=CHANGEABLE),
        "served": model.served,
        "artifact": model.artifact,
        "methods": model.methods,
        "axis": _axis(session, model),
    }
    data = json.dumps(facts, indent=1, ensure_ascii=False).encode()
    return ArtifactFile(model.workspace_id, model.id, model.weights_key, data, _card(model, shown).encode())


def parts(session: Session, file: ArtifactFile) -> Iterator[bytes]:
    """Return the zip in parts, all of it at hand. Raises BlobDamaged."""
    weights = blobs.get(session, file.workspace_id, file.weights_key)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, data in ((CARD, file.card), (FACTS, file.facts), (WEIGHTS, weights)):
            packed.writestr(zipfile.ZipInfo(name, EARLIEST), data)
    buffer.seek(0)
    return iter(lambda: buffer.read(PART_BYTES), b"")


def _axis(session: Session, model: Model) -> dict[str, Any] | None:
    version = dataset_queries.version(session, model.workspace_id, model.dataset_id, model.dataset_version)
    return None if version is None else version.axis


def _card(model: Model, shown: ModelOut) -> str:
    """Return the model card as Markdown."""
    made = (
        f"A Gatecast model, trained by version {model.code_version} on {model.created_at:%Y-%m-%d}: "
        f"`{model.architecture}` at preset `{model.preset}`, seed {model.seed}, up to {model.horizon} steps "
        f"ahead. `{model.served}` forecasts. Its weights ({WEIGHTS}, SHA-256 `{model.weights_sha256}`) were "
        f"learned from version {model.dataset_version} of dataset `{model.dataset_id}`."
    )
    sentences = [verdict.sentence for verdict in shown.verdicts.values()] or ["It has no backtest."]
    judged = [*sentences, _errors(shown), _intervals(shown)]
    loading = LOADING.format(model_id=model.id)
    parts = [f"# {model.id}", made, "## How good it is", *judged, PURPOSE, "## How to load it", loading]
    return "\n\n".join(part for part in parts if part)


def _errors(shown: ModelOut) -> str:
    """Return the errors of every method on the steps held out, as a table."""
    if shown.backtest is None:
        return ""
    rows = [
        f"| {name} | {_figure(each.mase)} | {_figure(each.rmsse)} | {_figure(each.smape)} |"
        for name, each in sorted(shown.backtest.measures.items(), key=lambda item: item[1].mase or 0.0)
    ]
    tested = f"{shown.backtest.windows:,} windows of {shown.backtest.series:,} series"
    head = ["| method | MASE | RMSSE | sMAPE, % |", "|---|---|---|---|"]
    return "\n".join([f"On the last {shown.backtest.steps:,} steps, held out: {tested}.", "", *head, *rows])


def _intervals(shown: ModelOut) -> str:
    """Return what the intervals of each level can be expected to hold, as a sentence."""
    known = {level: each.coverage for level, each in shown.calibration.items() if each.coverage is not None}
    if not known:
        return ""
    held = ", ".join(f"{level} %: {100 * share:.0f} %" for level, share in known.items())
    return f"What its intervals can be expected to hold, by level: {held}."


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
