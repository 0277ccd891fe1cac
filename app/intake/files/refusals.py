"""What the converting process refuses, with a sentence for the person who sent the file."""

from dataclasses import dataclass

EXIT_REFUSED, EXIT_LARGE = 3, 4
"""How the process ends that refuses a file, or needs more memory or room than it may have."""


class Refused(Exception):
    """A file that is read, but holds no table."""


class Vast(Exception):
    """A file that holds more than may be read."""


def most_rows(size: int) -> int:
    """Return how many rows a file of so many bytes may have: in text, one takes some 32 bytes."""
    return size // 32


@dataclass(frozen=True)
class Bounds:
    """How much a file may hold, counted before it is read."""

    columns: int
    size: int  # bytes, unpacked

    @property
    def rows(self) -> int:
        """The most rows of any file."""
        return most_rows(self.size)

    @property
    def cells(self) -> int:
        """The most cells of a workbook, which are in memory together."""
        return self.size // 64

    def refuse_many_columns(self, count: int) -> None:
        """Raise Refused for more columns than the settings allow."""
        if count > self.columns:
            raise Refused(
                f"The file has {count:,} columns, and {self.columns:,} is the most. Leave out those that are"
                " not needed, or raise GATECAST_MAX_COLUMNS."
            )


def refuse_many(what: str, count: int, most: int) -> None:
    """Raise Vast for more rows or cells than `most`."""
    if count > most:
        raise Vast(too_many(what, count, most))


def too_many(what: str, count: int, most: int) -> str:
    """Return what to say of a file with more rows or cells than `most`."""
    return (
        f"The file has {count:,} {what} or more, and {most:,} is the most. Send fewer series in one dataset,"
        " or raise GATECAST_MAX_UPLOAD_MB."
    )
