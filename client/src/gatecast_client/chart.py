"""A chart that the service drew."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal

ChartFormat = Literal["svg", "png"]


@dataclass(frozen=True, repr=False)
class Chart:
    """The picture of a forecast; a notebook shows it by itself."""

    content: bytes
    format: ChartFormat

    def save(self, path: str | PathLike[str]) -> None:
        """Write it into a file."""
        Path(path).write_bytes(self.content)

    def _repr_png_(self) -> bytes | None:
        return self.content if self.format == "png" else None

    def _repr_svg_(self) -> str | None:
        return self.content.decode() if self.format == "svg" else None
