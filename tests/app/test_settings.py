"""Settings from the environment."""

import re
from pathlib import Path

import pytest

from app.settings import PREFIX, Settings, SettingsError, load_settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_environment_overrides_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATECAST_PORT", "9000")
    assert load_settings().port == 9000


def test_option_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATECAST_DEVICE", "cpu")
    assert load_settings(device="cuda:1").device == "cuda:1"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("GATECAST_PORT", "http", "GATECAST_PORT"),
        ("GATECAST_DEVICE", "gpu", "GATECAST_DEVICE"),
        ("GATECAST_DATABASE_URL", "mysql://x/y", "sqlite:///FILE"),
        ("GATECAST_DATABASE_URL", "postgresql://u:p@h:54x/d", "postgresql://USER@HOST:PORT/NAME"),
        ("GATECAST_DATABASE_URL", "postgresql://u@h", "postgresql://USER@HOST:PORT/NAME"),
        ("GATECAST_DATABASE_URL", "sqlite:///:memory:", "sqlite:///FILE"),
        ("GATECAST_PROT", "80", "Did you mean GATECAST_PORT?"),
    ],
)
def test_invalid_setting_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=re.escape(expected)):
        load_settings()


def test_password_in_a_wrong_url_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATECAST_DATABASE_URL", "mysql://me:secret@db/x")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg://u@h/d"])
def test_every_address_of_postgres_names_one_driver(url: str) -> None:
    assert Settings(database_url=url).database_url == "postgresql+psycopg://u@h/d"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_stands_in_the_documentation_with_its_default(name: str) -> None:
    rows = [
        line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{PREFIX}{name.upper()}` |")
    ]
    default = Settings.model_fields[name].default
    assert len(rows) == 1
    assert default in (None, ()) or f"| `{str(default).lower().removesuffix('.0')}` |" in rows[0]
