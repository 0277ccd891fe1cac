"""The progress bars that commands show on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from app.schemas.jobs import Progress as OwnProgress
from gatecast_client.shapes import Progress as AnsweredProgress

Progress = OwnProgress | AnsweredProgress


@contextmanager
def training_bar(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Show a progress bar, and yield the function that updates it; remove the bar at the end.

    Nothing is shown without a terminal.
    """
    with _bar(console) as bar:
        task = bar.add_task("queued", total=1.0)
        yield lambda progress: bar.update(task, description=describe(progress), completed=progress.share_done)


@contextmanager
def counting_bar(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar of `done` out of `total`, and yield the function that updates it; as `training_bar`."""
    with _bar(console) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def describe(progress: Progress) -> str:
    """Return a few words on where a training is."""
    if progress.loss is None:
        return progress.phase
    losses = f"loss {progress.loss:.4f}"
    if progress.validation_loss is not None:
        losses += f", on held-out steps {progress.validation_loss:.4f}"
    return (
        f"{progress.phase} {progress.architecture}, member {progress.member} of {progress.members}, "
        f"epoch {progress.epoch} of {progress.epochs}: {losses}"
    )


def _bar(console: Console) -> Bar:
    # Columns of its own: they keep what they showed last.
    columns = (TextColumn("   {task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
