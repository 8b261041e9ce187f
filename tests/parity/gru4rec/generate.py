"""Writes fixtures/NAME.safetensors: GRU4Rec around torch.nn.GRU, history by history, with losses and gradients.

    python3 -m venv venv && venv/bin/pip install -r ../requirements.txt
    venv/bin/python generate.py

Written from the description: a table of items, a GRU of the items' width, its state at the last item, a linear layer.
"""

import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))
from reference import Weights, fingerprints, save  # noqa: E402
from sequence_model import CATALOG, WIDTH, compute, facts  # noqa: E402

CASES = {"one-layer": 1, "two-layers": 2}
OURS = {"weight_ih": "input", "weight_hh": "state", "bias_ih": "input_bias", "bias_hh": "state_bias"}


class GRU4Rec(torch.nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.items = torch.nn.Embedding(CATALOG + 1, WIDTH)
        self.gru = torch.nn.GRU(WIDTH, WIDTH, num_layers=layers, batch_first=True)
        self.output = torch.nn.Linear(WIDTH, CATALOG)

    def state(self, history):
        states, _ = self.gru(self.items(torch.tensor([history])))
        return states[0, -1]


def our_name(name):
    """`gru.weight_ih_l0` is our `layers.0.input`."""
    if not name.startswith("gru."):
        return name
    kind, layer = name.removeprefix("gru.").rsplit("_l", 1)
    return f"layers.{layer}.{OURS[kind]}"


def main():
    torch.set_default_dtype(torch.float64)
    for case, layers in CASES.items():
        weights, model = Weights(), GRU4Rec(layers)
        with torch.no_grad():
            for name, tensor in model.named_parameters():
                spread = 0.3 if "bias" in name else 0.8
                tensor.copy_(weights.make(our_name(name), tuple(tensor.shape), spread=spread))

        def gradients_of(loss):
            found = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
            return {our_name(name): g for (name, _), g in zip(model.named_parameters(), found)}

        wanted = compute(model.state, model.output, gradients_of, fingerprints)
        save(HERE / "fixtures" / f"{case}.safetensors", wanted, facts(layers=layers), weights)
        print(case, *(wanted[f"loss {kind}"].item() for kind in ("bce", "softmax")))


if __name__ == "__main__":
    main()
