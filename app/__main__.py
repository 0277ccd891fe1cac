"""Run the command line, `gatecast` or `python -m app`, once the import path is known to be safe.

Nothing else is imported before that check, since a foreign folder on the path may hold code of the same name.
"""

import sys

from app import import_path
from app.errors import CannotStart
from app.observability.logs import escaped


def main() -> None:
    """Check the import path, then run a command."""
    try:
        import_path.check()
    except CannotStart as error:
        print(f"gatecast: {escaped(str(error))}", file=sys.stderr)
        sys.exit(2)
    from app import cli  # noqa: PLC0415  # imports more, which the check is for

    cli.main()


if __name__ == "__main__":
    import_path.leave_out_working_folder()
    main()
