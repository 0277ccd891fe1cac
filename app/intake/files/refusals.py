"""What the converting process refuses, with a sentence for the person who sent the file."""

EXIT_REFUSED, EXIT_LARGE = 3, 4
"""How the process ends that refuses a file, or needs more memory or room than it may have."""


class Refused(Exception):
    """A file that is read, but holds no table."""


def refuse_many_columns(count: int, most: int) -> None:
    """Raise Refused for more columns than the settings allow."""
    if count > most:
        raise Refused(
            f"The file has {count:,} columns, and {most:,} is the most. Leave out those that are not needed,"
            " or raise GATECAST_MAX_COLUMNS."
        )
