import torch
from torch import nn

from models.network.cell import Weights, run


def test_written_out_cell_equals_torch_lstm() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        lstm = nn.LSTM(4, 64, batch_first=True)
        sequence = torch.randn(32, 20, 4)
    with torch.no_grad():
        _, (hidden, cell) = lstm(sequence)
        state = run(sequence, Weights.of(lstm))
    torch.testing.assert_close(state.hidden, hidden[0], rtol=0.0, atol=1e-6)
    torch.testing.assert_close(state.cell, cell[0], rtol=0.0, atol=1e-6)
