import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from models.__main__ import main, read_table
from models.calibration import Calibration
from models.checkpoint import load
from models.methods import Method, forecast_by
from tests.models.samples import wave


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "waves.csv"
    lines = [
        f"{name},{t},{y}"
        for name, level in (("a", 5.0), ("b/c", 9e6))
        for t, y in enumerate(wave(24, level=level))
    ]
    path.write_text("\n".join(["unique_id,ds,y", *lines, "a,24,"]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(file: Path) -> Path:
    out = file.with_name("m.safetensors")
    assert main(["train", str(file), "--horizon", "3", "--season-length", "4", "--out", str(out)]) == 0
    return out


def test_trained_model_forecasts_every_series(
    file: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["forecast", str(file), "--model", str(trained), "--level", "80", "--horizon", "2"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["unique_id"], row["step"]) for row in rows] == [
        ("a", "1"),
        ("a", "2"),
        ("b/c", "1"),
        ("b/c", "2"),
    ]
    assert list(rows[0]) == ["unique_id", "step", "forecast", "lo-80", "hi-80"]
    expected = wave(26, level=9e6)[-2:]
    np.testing.assert_allclose([float(row["forecast"]) for row in rows[2:]], expected, rtol=0.25)


def test_all_architectures_are_tried_and_the_best_is_kept(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "best.safetensors"
    words = ["train", str(file), "--horizon", "3", "--season-length", "4", "--architecture", "all"]
    assert main([*words, "--out", str(out)]) == 0
    table = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in table[1:5]]
    assert set(names) == {"lstm", "gru", "rnn", "cnn"}
    assert table[5].startswith(
        f"On the last 3 known steps of 2 series this {names[0].upper()}'s error (MASE) was"
    )
    assert table[6].startswith("On the last 3 known steps of 2 series this blend's error (MASE) was")
    assert f'"architecture": "{names[0]}"' in out.with_suffix(".json").read_text(encoding="utf-8")


def test_forecast_has_the_method_and_the_calibration_that_training_chose(
    file: Path, trained: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With Theta alone in the JSON, and bounds stretched to twice their width, that is what answers."""
    other = tmp_path / "m.safetensors"
    other.write_bytes(trained.read_bytes())
    metadata = json.loads(trained.with_suffix(".json").read_text(encoding="utf-8"))
    method = Method({"theta": 1.0}, Calibration(np.full((3, 4), 2.0), windows=9))
    metadata["method"] = method.to_dict()
    other.with_suffix(".json").write_text(json.dumps(metadata), encoding="utf-8")
    assert main(["forecast", str(file), "--model", str(other), "--level", "80"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    model = load(other.read_bytes(), metadata)
    expected = forecast_by(method, model, read_table(file).panel, levels=[80])
    assert [float(row["forecast"]) for row in rows] == expected.median.ravel().tolist()
    assert [float(row["hi-80"]) for row in rows] == expected.hi[80].ravel().tolist()


def test_json_without_a_method_is_refused(
    file: Path, trained: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    other = tmp_path / "m.safetensors"
    other.write_bytes(trained.read_bytes())
    other.with_suffix(".json").write_text("{}", encoding="utf-8")
    assert main(["forecast", str(file), "--model", str(other)]) == 2
    assert "is not the JSON that training wrote" in capsys.readouterr().err


def test_config_can_be_read_beside_the_weights(trained: Path) -> None:
    assert '"season_length": 4' in trained.with_suffix(".json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("unique_id,y\na,1\n", "no column ds"),
        ("unique_id,ds,y\n", "no rows"),
        ("unique_id,ds,y\na,1,2\na,2,many\n", "Line 3"),
        ("unique_id,ds,y\na,1,2\na,2,3\n", "too long"),
        ("unique_id,ds,y\na,1,2\na,2,inf\n", "infinite"),
    ],
)
def test_unusable_file_ends_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content, encoding="utf-8")
    assert main(["train", str(path), "--horizon", "3", "--out", str(tmp_path / "m")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_missing_file_ends_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", str(tmp_path / "no.csv"), "--model", str(tmp_path / "m")]) == 2
    assert "no.csv cannot be used: No such file" in capsys.readouterr().err


def test_weights_named_like_their_config_are_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(file), "--horizon", "3", "--out", "m.json"]) == 2
    assert "name the weights" in capsys.readouterr().err


def test_file_in_another_encoding_ends_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("unique_id,ds,y\nÖsterreich,1,2\n".encode("latin-1"))
    assert main(["train", str(path), "--horizon", "3"]) == 2
    assert "not a CSV file in UTF-8" in capsys.readouterr().err


def test_metadata_that_is_no_json_ends_with_a_sentence(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.json").write_text("{", encoding="utf-8")
    assert main(["forecast", str(file), "--model", str(tmp_path / "m.safetensors")]) == 2
    assert "m.json" in capsys.readouterr().err


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "python -m models train examples/population.csv --horizon 5" in capsys.readouterr().out
