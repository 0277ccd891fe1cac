"""What reading rows to append needs to know of their dataset: its axis, its columns and names."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from app.errors import BadInput, FieldError
from app.intake.columns.beside import ROLES, UNUSED_HERE
from app.intake.columns.roles import Roles
from app.intake.covariates import Covariate
from app.intake.options import ReadOptions, as_option, named
from app.intake.problems import SHOWN, listed
from app.intake.time.axis import TimeAxis
from app.schemas.choices import NO_LIMITS, Limits
from app.schemas.datasets import Detected, Time


@dataclass(frozen=True)
class ExistingDataset:
    """What reading rows needs to know of the dataset they are for."""

    axis: TimeAxis
    end: Time
    detected: Detected  # how its first upload was read
    only: str | None  # the name of its series, if it has just one
    limits: Limits = NO_LIMITS
    covariates: tuple[Covariate, ...] = ()

    def options(self, requested: ReadOptions, names: tuple[str, ...]) -> ReadOptions:
        """Return the options; what they do not say is as in the dataset's first upload.

        A role without a column gets that upload's, unless it is absent or named for another role.
        """
        named_already = {
            name
            for text in (requested.id_column, requested.time_column, requested.target_column)
            for name in named(text, names)
        }

        def inherited(option: str | None) -> str | None:
            columns = set(named(option, names))
            return option if columns <= set(names) - named_already else None

        return replace(
            requested.inheriting(self.detected.options),
            id_column=requested.id_column or inherited(self.detected.id_column),
            time_column=requested.time_column or inherited(self.detected.time_column),
            target_column=requested.target_column or self._targets_among(set(names) - named_already),
            finds_covariates=False,
            **self._columns(set(names) - named_already),
        )

    def options_of_table(self, requested: ReadOptions, names: tuple[str, ...]) -> ReadOptions:
        """Return the options for a table with these columns.

        Raises BadInput where none can be the target, or where a part of its names or times is lacking.
        """
        options = self.options(requested, names)
        for option in ("id_column", "time_column"):
            if names and getattr(options, option) is None:
                self._refuse_part(option, names)
        is_turned = options.layout == "wide"  # its targets have other times
        if (
            names
            and not is_turned
            and options.target_column is None
            and (self.covariates or len(self.targets) > 1)
        ):
            raise self._refuse_targetless()
        return options

    def stand_in_notes(self, options: ReadOptions, roles: Roles) -> list[str]:
        """Return a note if the only column left stands in for the target of a dataset without others.

        Raises BadInput where the table has neither the target nor such a column.
        """
        if options.target_column is not None or roles.across:
            return []
        others = [each for each in roles.columns if each.reason == UNUSED_HERE]
        known = {each.name for each in self.detected.columns}
        if others or not known.isdisjoint(roles.targets):
            raise self._refuse_targetless()
        return [
            f"{listed(roles.targets)} is taken as the target, which is {listed(self.targets)} in the dataset."
        ]

    @property
    def targets(self) -> tuple[str, ...]:
        """The target columns of the first upload."""
        return named(self.detected.target_column, {each.name for each in self.detected.columns})

    @property
    def is_named_by_target(self) -> bool:
        """Whether each target of a table without names is a series of its own."""
        return len(self.targets) > 1 and self.detected.id_column is None

    def _targets_among(self, names: Collection[str]) -> str | None:
        return as_option(name for name in self.targets if name in names)

    def _refuse_targetless(self) -> BadInput:
        several = len(self.targets) > 1
        none = "none of the targets, which are" if several else "no target, which is"
        add = "at least one of these columns" if several else "that column"
        return BadInput(
            f"The table has {none} {listed(self.targets)}. Name the column with the values by target_column;"
            f" or, to send columns beside the target alone, add {add}, empty where nothing is known yet: at a"
            " step that has a value an empty cell removes it.",
            [FieldError("#/target_column", f"there is no column {listed(self.targets)}")],
        )

    def _refuse_part(self, option: str, names: Collection[str]) -> None:
        """Raise BadInput for a table with some of the columns that have a role together."""
        text = self.detected.id_column if option == "id_column" else self.detected.time_column
        together = named(text, {each.name for each in self.detected.columns})
        lacking = [name for name in together if name not in names]
        if 0 < len(lacking) < len(together):
            what = "series are named" if option == "id_column" else "times are told"
            raise BadInput(
                f"The dataset's {what} by {listed(together)} together, and the table lacks {listed(lacking)}."
                f" Add what is lacking, or say by {option} which columns do that here.",
                [FieldError(f"#/{option}", f"there is no column {listed(lacking)}")],
            )

    def _columns(self, names: Collection[str]) -> dict[str, Any]:
        """Return the options that name those of the dataset's covariates that were sent."""
        sent = [each for each in self.covariates if each.name in names]
        options = {
            option: as_option(each.name for each in sent if each.role == role)
            for option, role in ROLES.items()
        }
        categories = as_option(each.name for each in sent if each.kind == "category")
        return {**options, "category_columns": categories}


def refuse_unnamed(pointers: list[str]) -> BadInput:
    """Return the error for rows that name no series where the dataset has several."""
    remedy = "Name the series of each row."
    return BadInput(
        "These rows do not say which series they belong to, and the dataset has several. In a file, name the"
        " column with the series' names by id_column; in JSON, give each observation its unique_id.",
        [FieldError(pointer, remedy) for pointer in pointers[:SHOWN]],
    )
