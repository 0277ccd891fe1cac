"""Tell which sheet of a workbook is meant."""

from collections.abc import Callable, Mapping

from app.errors import BadInput
from app.intake.problems import Question, Unsettled, listed
from app.intake.tables.table import Table


def the_only(sheets: Mapping[str, Table], read: Callable[[Table], object]) -> Table:
    """Return the only one of several tables that can be read.

    Raises Unsettled where several can, BadInput as `read` does for the first where none can.
    """
    if len(sheets) == 1:
        return next(iter(sheets.values()))
    errors: dict[str, BadInput] = {}
    for name, table in sheets.items():
        try:
            read(table)
        except Unsettled:
            continue
        except BadInput as error:
            errors[name] = error
    fit = [name for name in sheets if name not in errors]
    if not fit:
        raise next(iter(errors.values()))
    if len(fit) > 1:
        detail = f"Several sheets hold a table: {listed(fit)}. Say by sheet which one is meant."
        raise Unsettled([Question("sheet", detail, tuple(fit), "several sheets hold a table")])
    return sheets[fit[0]].with_note(f"Sheet {fit[0]!r} was read, and not {listed(errors)}.")
