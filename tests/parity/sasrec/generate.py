"""Writes fixtures/NAME.safetensors: a plain SASRec, place by place, and its losses and gradients.

    python3 -m venv venv && venv/bin/pip install -r ../requirements.txt
    venv/bin/python generate.py

The model is support/plain_sasrec.py. The negatives are given: each sequence lacks exactly one item of the catalog.
"""

import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))
from reference import Weights, fingerprints, save  # noqa: E402
from plain_sasrec import logits, make_weights, states  # noqa: E402

CATALOG, LENGTH, WIDTH = 7, 6, 8
CASES = {"classic": dict(blocks=1, heads=1), "modern": dict(blocks=2, heads=2)}
SEQUENCES = [[0, 2, 1, 4, 6, 5, 2, 0, 4], [5, 0, 4, 1, 3, 2]]  # without 3, without 6
NEGATIVES = [3, 6]
HISTORIES = [[4, 2, 0], [6], [1, 2, 3, 4, 5, 6, 0, 1]]


def losses(p, preset, **shape):
    """Sums over all targets of binary cross-entropy with one negative, and of cross-entropy."""
    binary, full = 0.0, 0.0
    for items, negative in zip(SEQUENCES, NEGATIVES):
        for start in range(0, len(items) - 1, LENGTH):
            chunk = items[start : start + LENGTH + 1]
            for state, target in zip(states(chunk[:-1], p, preset, **shape), chunk[1:]):
                scores = logits(state, p)
                binary = binary - torch.log(torch.sigmoid(scores[target]))
                binary = binary - torch.log(1 - torch.sigmoid(scores[negative]))
                full = full - scores[target] + torch.log(torch.exp(scores).sum())
    return binary, full


def main():
    for preset, shape in CASES.items():
        weights = Weights()
        size = dict(catalog=CATALOG, length=LENGTH, width=WIDTH, preset=preset)
        p = make_weights(weights, blocks=shape["blocks"], **size)
        for tensor in p.values():
            tensor.requires_grad_(True)
        represented = [states(h[-LENGTH:], p, preset, **shape)[-1] for h in HISTORIES]
        first = states(SEQUENCES[0][:LENGTH], p, preset, **shape)
        wanted = {
            "representations": torch.stack(represented),
            "states": torch.stack(first),
            "logits": torch.stack([logits(state, p) for state in first]),
        }
        binary, full = losses(p, preset, **shape)
        wanted |= {"loss bce": binary.reshape(1), "loss softmax": full.reshape(1)}
        for kind, loss in (("bce", binary), ("softmax", full)):
            found = torch.autograd.grad(loss, list(p.values()), retain_graph=True)
            gradients = dict(zip(p, found))
            # The row of the padding is never used here; its gradient stays zero.
            assert not gradients["items.weight"][CATALOG].any()
            wanted[f"gradients {kind}"] = fingerprints(gradients)
            wanted[f"item gradient {kind}"] = gradients["items.weight"]
        facts = {
            "options": dict(catalogSize=CATALOG, maxHistory=LENGTH, width=WIDTH, preset=preset, **shape),
            "sequences": SEQUENCES,
            "histories": HISTORIES,
        }
        save(HERE / "fixtures" / f"{preset}.safetensors", wanted, facts, weights)
        print(preset, binary.item(), full.item())


if __name__ == "__main__":
    main()
