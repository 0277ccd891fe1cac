"""Train the pretrained networks; an interrupted run resumes from the last round of each network."""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from models.choices import NO_SEASONS
from models.config import PRETRAINED_MEMBERS
from models.network.artifact import Artifact, dump
from models.network.forecaster import Forecaster, trained_member
from models.network.pretrained import WEIGHTS, zero_shot_config
from models.pretraining.pretrain import pretrain, validate
from models.pretraining.state import PretrainingConfig, PretrainingState, dump_state, load_state


def run(config: PretrainingConfig, out: Path, checkpoints: Path, log: Callable[[str], None]) -> None:
    """Pretrain, write the weights to `out` and their metadata as JSON beside it; `log` a line for each round.

    `checkpoints` is a folder for the states to resume from. Raise as `load_state` does.
    """
    checkpoints.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()

    def on_round(member: int, state: PretrainingState) -> None:
        _write(checkpoints / f"{member}.safetensors", dump_state(state, config))
        log(
            f"network {member + 1} of {PRETRAINED_MEMBERS}, round {state.rounds} of {config.rounds}: "
            f"loss {state.loss:.4f}, {time.perf_counter() - began:.0f} s"
        )

    states = [_resumed(checkpoints / f"{member}.safetensors", config) for member in range(PRETRAINED_MEMBERS)]
    weights = [state.weights for state in pretrain(config, states, on_round)]
    networks = (
        trained_member(zero_shot_config(1, NO_SEASONS), number, one) for number, one in enumerate(weights)
    )
    artifact = dump(Forecaster(zero_shot_config(1, NO_SEASONS), tuple(networks)))
    figures = {
        "median validation loss": round(float(np.median(validate(config, weights))), 6),
        "config": asdict(config),
        "torch": torch.__version__.partition("+")[0],
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    _write(out, Artifact(artifact.weights, {"sha256": artifact.metadata["sha256"], **figures}))
    log(f"Wrote {out}: {out.with_suffix('.json').read_text(encoding='utf-8')}")


def _resumed(file: Path, config: PretrainingConfig) -> PretrainingState:
    """Return the stored state of a network, or a fresh one without any."""
    if not file.exists():
        return PretrainingState()
    metadata = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    return load_state(file.read_bytes(), metadata, config)


def _write(file: Path, artifact: Artifact) -> None:
    """Write weights, and their metadata as JSON beside them, each whole or not at all."""
    metadata = json.dumps(artifact.metadata, indent=2).encode() + b"\n"
    for path, data in ((file, artifact.weights), (file.with_suffix(".json"), metadata)):
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(data)
        part.replace(path)


def main() -> None:
    """Pretrain with the default configuration, and print a line for each round."""
    parser = argparse.ArgumentParser(prog="python -m models.pretraining", description=__doc__)
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="default: the weights in models/weights")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        default=Path("pretraining"),
        help="folder to resume from after an interruption; default: %(default)s",
    )
    options = parser.parse_args()
    run(PretrainingConfig(), options.out, options.checkpoints, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
