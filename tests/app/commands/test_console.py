"""What a terminal shows of a training."""

import io

from rich.console import Console

from app.commands.console import describe, training_bar
from app.schemas import examples
from app.schemas.jobs import Progress

LEARNING = Progress.model_validate({**examples.PROGRESS, "validation_loss": 0.052})


def test_bar_tells_of_phase_and_share_on_a_terminal() -> None:
    shown = io.StringIO()
    with training_bar(Console(file=shown, force_terminal=True, width=150)) as tell:
        tell(LEARNING)
    assert "training rnn" in shown.getvalue()
    assert "75%" in shown.getvalue()


def test_nothing_is_shown_without_a_terminal() -> None:
    shown = io.StringIO()
    with training_bar(Console(file=shown)) as tell:
        tell(LEARNING)
    assert shown.getvalue() == ""


def test_losses_are_shown_while_a_network_learns() -> None:
    assert describe(LEARNING) == (
        "training rnn, member 2 of 2, epoch 20 of 20: loss 0.0410, on held-out steps 0.0520"
    )


def test_phase_alone_is_shown_while_none_does() -> None:
    assert describe(Progress(phase="publishing", share_done=1)) == "publishing"
