"""The options of every command that reads a file: what is said of how to read it."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Literal

import typer

from app.schemas.choices import Duplicates, Layout, Missing


def _option(help_text: str) -> Any:
    return typer.Option(help=help_text)


OPTIONS: dict[str, Any] = {
    "id_column": Annotated[str | None, _option("Column that names the series; several by commas.")],
    "time_column": Annotated[
        str | None, _option("Column with the times; several, such as a year and a month, by commas.")
    ],
    "target_column": Annotated[
        str | None, _option("Column with the values; several, by commas, make one series each.")
    ],
    "past_columns": Annotated[
        str | None, _option("Columns beside the target that end with it; several by commas.")
    ],
    "future_columns": Annotated[str | None, _option("Columns that are known ahead of the target's end.")],
    "static_columns": Annotated[str | None, _option("Columns with one value for each series.")],
    "category_columns": Annotated[str | None, _option("Columns of categories that may hold numbers.")],
    "unused_columns": Annotated[str | None, _option("Columns that are passed over.")],
    "frequency": Annotated[str | None, _option("The step: `D`, `W-SUN`, `MS`, `h`, ...; 1 for integers.")],
    "date_format": Annotated[str | None, _option("How times are written, such as `%d/%m/%Y`.")],
    "time_zone": Annotated[str | None, _option("The zone of local times, such as `Europe/Berlin`.")],
    "decimal": Annotated[Literal[".", ","] | None, _option("The mark before decimals.")],
    "encoding": Annotated[str | None, _option("The encoding of the text, such as `gb18030`.")],
    "skip_rows": Annotated[int | None, typer.Option(min=0, help="Lines to skip above the header.")],
    "sheet": Annotated[str | None, _option("The sheet of a workbook, where several hold tables.")],
    "layout": Annotated[
        Layout | None, _option("A row for each value, or a column for each time or series; found by default.")
    ],
    "duplicates": Annotated[
        Duplicates | None, _option("What several rows at one time are; refused by default.")
    ],
    "missing": Annotated[Missing | None, _option("What a step without a value means; a gap by default.")],
    "missing_values": Annotated[
        str | None, _option("What stands for no value, such as `-999`; several by commas.")
    ],
}


def reads_a_file(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options; it gets those that are said by its parameter `reading`."""
    own = inspect.signature(command)
    parameters = [each for each in own.parameters.values() if each.name != "reading"]
    kind = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(name, kind, default=None, annotation=annotation)
        for name, annotation in OPTIONS.items()
    ]

    @wraps(command)
    def run(**values: Any) -> None:
        reading = {name: values.pop(name) for name in OPTIONS}
        command(**values, reading={name: value for name, value in reading.items() if value is not None})

    run.__signature__ = own.replace(parameters=[*parameters, *added])  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in [*parameters, *added]}
    return run
