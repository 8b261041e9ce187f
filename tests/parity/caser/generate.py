"""Writes fixtures/NAME.safetensors: Caser with two-dimensional convolutions, window by window, losses and gradients.

    python3 -m venv venv && venv/bin/pip install -r ../requirements.txt
    venv/bin/python generate.py

Written from the description: the last items are an image of LENGTH rows and WIDTH columns, the latest item in the last
row, zeros above the oldest one. Horizontal filters of each height are maximised over the image; one vertical filter
sums its rows; ReLU on both; a linear layer.
"""

import sys
from pathlib import Path

import torch
from torch.nn.functional import max_pool1d, relu

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))
from reference import Weights, fingerprints, save  # noqa: E402
from sequence_model import CATALOG, LENGTH, WIDTH, compute, facts  # noqa: E402

CASES = {"authors": dict(heights=[2, 3, 4], channels=16), "uneven": dict(heights=[6, 1], channels=3)}


class Caser(torch.nn.Module):
    def __init__(self, heights, channels):
        super().__init__()
        self.items = torch.nn.Embedding(CATALOG + 1, WIDTH)
        filters = [torch.nn.Conv2d(1, channels, (height, WIDTH)) for height in heights]
        self.horizontal = torch.nn.ModuleList(filters)
        self.vertical = torch.nn.Conv2d(1, 1, (LENGTH, 1))
        self.output = torch.nn.Linear(len(heights) * channels + WIDTH, CATALOG)

    def state(self, history):
        rows = torch.zeros(LENGTH - len(history), WIDTH)
        image = torch.cat([rows, self.items(torch.tensor(history))])[None, None]
        values = [relu(filters(image)).squeeze(3) for filters in self.horizontal]
        largest = [max_pool1d(v, v.shape[2]).reshape(-1) for v in values]
        return torch.cat([*largest, relu(self.vertical(image)).reshape(-1)])


def ours(tensor):
    """Their filters [O, 1, rows, columns] as ours: [O, columns, rows]; the vertical one has no columns to sum over."""
    return tensor.squeeze(1).transpose(1, 2) if tensor.dim() == 4 else tensor


def theirs(tensor):
    return tensor.transpose(1, 2).unsqueeze(1) if tensor.dim() == 3 else tensor


def main():
    torch.set_default_dtype(torch.float64)
    for case, shape in CASES.items():
        weights, model = Weights(), Caser(**shape)
        with torch.no_grad():
            for name, tensor in model.named_parameters():
                spread = 0.3 if "bias" in name else 0.8
                made = weights.make(name, tuple(ours(tensor).shape), spread=spread)
                tensor.copy_(theirs(made))

        def gradients_of(loss):
            found = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
            named = zip(model.named_parameters(), found)
            return {name: ours(g).contiguous() for (name, _), g in named}

        wanted = compute(model.state, model.output, gradients_of, fingerprints)
        save(HERE / "fixtures" / f"{case}.safetensors", wanted, facts(**shape), weights)
        print(case, *(wanted[f"loss {kind}"].item() for kind in ("bce", "softmax")))


if __name__ == "__main__":
    main()
