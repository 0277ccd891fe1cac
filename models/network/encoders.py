"""The four encoders: each turns a context into one vector; the rest of the network is the same."""

from torch import Tensor, nn
from torch.nn import functional

from models.choices import Architecture
from models.config import TrainingConfig


class LSTM(nn.Module):
    """The last hidden state of an LSTM layer (its equations: `models/network/cell.py`)."""

    def __init__(self, inputs: int, config: TrainingConfig) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, config.hidden, batch_first=True)

    def forward(self, context: Tensor) -> Tensor:
        """Map (batch, context, inputs) to (batch, hidden)."""
        _, (hidden, _) = self.lstm(context)
        last: Tensor = hidden[-1]
        return last


class GRU(nn.Module):
    """The last hidden state of a GRU layer: Cho et al. (2014), Learning Phrase Representations using RNN."""

    def __init__(self, inputs: int, config: TrainingConfig) -> None:
        super().__init__()
        self.gru = nn.GRU(inputs, config.hidden, batch_first=True)

    def forward(self, context: Tensor) -> Tensor:
        """Map (batch, context, inputs) to (batch, hidden)."""
        _, hidden = self.gru(context)
        last: Tensor = hidden[-1]
        return last


class RNN(nn.Module):
    """The last hidden state of h' = tanh(W x + U h + b): Elman (1990), Finding Structure in Time."""

    def __init__(self, inputs: int, config: TrainingConfig) -> None:
        super().__init__()
        self.rnn = nn.RNN(inputs, config.hidden, batch_first=True)

    def forward(self, context: Tensor) -> Tensor:
        """Map (batch, context, inputs) to (batch, hidden)."""
        _, hidden = self.rnn(context)
        last: Tensor = hidden[-1]
        return last


class CNN(nn.Module):
    """The last step of residual causal convolutions of width two, dilated by 1, 2, 4 and so on.

    There are as many layers as it takes to see the whole context. After van den Oord et al. (2016), WaveNet,
    with a ReLU in place of its gate.
    """

    def __init__(self, inputs: int, config: TrainingConfig) -> None:
        super().__init__()
        depth = (config.context - 1).bit_length()
        self.read = nn.Linear(inputs, config.hidden)
        self.layers = nn.ModuleList(nn.Linear(2 * config.hidden, config.hidden) for _ in range(depth))

    def forward(self, context: Tensor) -> Tensor:
        """Map (batch, context, inputs) to (batch, hidden); steps before the context are zeros."""
        field: int = 2 ** len(self.layers)
        steps = self.read(functional.pad(context, (0, 0, field - context.shape[1], 0)))
        # Only the last step is needed. It reads two steps of the layer below, each of those reads two again:
        # so each layer joins neighbours in pairs and halves the number of steps.
        for layer in self.layers:
            pairs = steps.unflatten(1, (-1, 2))
            steps = pairs[:, :, 1] + layer(pairs.flatten(2)).relu()
        last: Tensor = steps[:, 0]
        return last


ENCODERS: dict[Architecture, type[LSTM | GRU | RNN | CNN]] = {
    "lstm": LSTM,
    "gru": GRU,
    "rnn": RNN,
    "cnn": CNN,
}
