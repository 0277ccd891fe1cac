"""One step of an LSTM with its equations written out, to compare with `torch.nn.LSTM`, which the core uses.

Sources: Hochreiter & Schmidhuber (1997), Long Short-Term Memory; the forget gate is from Gers,
Schmidhuber & Cummins (2000), Learning to Forget.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class State(NamedTuple):
    """The state of a cell: `hidden` h and `cell` c, both (batch, hidden)."""

    hidden: Tensor
    cell: Tensor


class Weights(NamedTuple):
    """The four gates' weights stacked in torch's order: input, forget, candidate, output.

    `of_input` W (4 * hidden, inputs), `of_hidden` U (4 * hidden, hidden), `bias` b (4 * hidden,).
    """

    of_input: Tensor
    of_hidden: Tensor
    bias: Tensor

    @classmethod
    def of(cls, lstm: nn.LSTM) -> "Weights":
        """Return the weights of a one-layer `torch.nn.LSTM`, whose two biases act as their sum."""
        named = dict(lstm.named_parameters())
        return cls(named["weight_ih_l0"], named["weight_hh_l0"], named["bias_ih_l0"] + named["bias_hh_l0"])


def step(x: Tensor, state: State, weights: Weights) -> State:
    """Read x (batch, inputs) and return the next state.

    i = sigmoid(W_i x + U_i h + b_i)      input gate: how much of the candidate is written
    f = sigmoid(W_f x + U_f h + b_f)      forget gate: how much of the old cell state stays
    g = tanh(W_g x + U_g h + b_g)         candidate: what could be written
    o = sigmoid(W_o x + U_o h + b_o)      output gate: how much of the cell state is shown
    c' = f * c + i * g                    new cell state
    h' = o * tanh(c')                     new hidden state
    """
    sums = x @ weights.of_input.T + state.hidden @ weights.of_hidden.T + weights.bias
    i, f, g, o = sums.chunk(4, dim=1)
    cell = f.sigmoid() * state.cell + i.sigmoid() * g.tanh()
    return State(hidden=o.sigmoid() * cell.tanh(), cell=cell)


def run(sequence: Tensor, weights: Weights) -> State:
    """Read a sequence (batch, steps, inputs) from a state of zeros and return the last state."""
    zeros = torch.zeros(len(sequence), weights.of_hidden.shape[1], dtype=sequence.dtype)
    state = State(zeros, zeros)
    for x in sequence.unbind(dim=1):
        state = step(x, state, weights)
    return state
