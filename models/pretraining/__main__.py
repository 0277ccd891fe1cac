"""Make the pretrained weights again; broken off, it goes on from the last round of each network."""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from models.config import PRETRAINED_MEMBERS
from models.network.artifact import Artifact, dump
from models.network.forecaster import Forecaster, trained_member
from models.network.pretrained import WEIGHTS, zero_shot_config
from models.pretraining.pretrain import examine, pretrain
from models.pretraining.state import Curriculum, PupilState, dump_pupil, load_pupil


def run(curriculum: Curriculum, out: Path, checkpoints: Path, tell: Callable[[str], None]) -> None:
    """Pretrain, write the weights to `out` and what is to be said of them beside it; `tell` of each round.

    `checkpoints` is a folder for what to go on from. Raises what reading one of them raises.
    """
    checkpoints.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()

    def on_round(member: int, state: PupilState) -> None:
        _write(checkpoints / f"{member}.safetensors", dump_pupil(state, curriculum))
        tell(
            f"network {member + 1} of {PRETRAINED_MEMBERS}, round {state.rounds} of {curriculum.rounds}: "
            f"loss {state.loss:.4f}, {time.perf_counter() - began:.0f} s"
        )

    states = [
        _to_go_on_from(checkpoints / f"{member}.safetensors", curriculum)
        for member in range(PRETRAINED_MEMBERS)
    ]
    weights = [state.weights for state in pretrain(curriculum, states, on_round)]
    networks = (trained_member(zero_shot_config(1, 1), number, one) for number, one in enumerate(weights))
    artifact = dump(Forecaster(zero_shot_config(1, 1), tuple(networks)))
    figures = {
        "median loss in the examination": round(float(np.median(examine(curriculum, weights))), 6),
        "curriculum": asdict(curriculum),
        "torch": torch.__version__.partition("+")[0],
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    _write(out, Artifact(artifact.weights, {"sha256": artifact.metadata["sha256"], **figures}))
    tell(f"Wrote {out}: {out.with_suffix('.json').read_text(encoding='utf-8')}")


def _to_go_on_from(file: Path, curriculum: Curriculum) -> PupilState:
    if not file.exists():
        return PupilState()
    metadata = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    return load_pupil(file.read_bytes(), metadata, curriculum)


def _write(file: Path, artifact: Artifact) -> None:
    """Write weights, and their metadata as JSON beside them, each whole or not at all."""
    metadata = json.dumps(artifact.metadata, indent=2).encode() + b"\n"
    for path, data in ((file, artifact.weights), (file.with_suffix(".json"), metadata)):
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(data)
        part.replace(path)


def main() -> None:
    """Pretrain with the usual curriculum, and print a line for each round."""
    parser = argparse.ArgumentParser(prog="python -m models.pretraining", description=__doc__)
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="default: the weights in models/weights")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        default=Path("pretraining"),
        help="folder to go on from if it was broken off; default: %(default)s",
    )
    options = parser.parse_args()
    run(Curriculum(), options.out, options.checkpoints, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
