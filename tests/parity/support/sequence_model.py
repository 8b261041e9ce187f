"""What the generators of sequence models share: small sequences, and what is asked of a model.

A model is a function from a history to its state and one from a state to the scores of all items. A state is computed
from its history alone, without padding and without the other places.
"""

import torch

CATALOG, LENGTH, WIDTH = 7, 6, 8
SEQUENCES = [[0, 2, 1, 4, 6, 5, 2, 0, 4], [5, 0, 4, 1, 3, 2]]  # without 3, without 6
NEGATIVES = [3, 6]
HISTORIES = [[4, 2, 0], [6], [1, 2, 3, 4, 5, 6, 0, 1]]


def losses(state_of, logits_of):
    """Sums over all targets of binary cross-entropy with one negative, and of cross-entropy."""
    binary, full = 0.0, 0.0
    for items, negative in zip(SEQUENCES, NEGATIVES):
        for start in range(0, len(items) - 1, LENGTH):
            chunk = items[start : start + LENGTH + 1]
            for place, target in enumerate(chunk[1:]):
                scores = logits_of(state_of(chunk[: place + 1]))
                binary = binary - torch.log(torch.sigmoid(scores[target]))
                binary = binary - torch.log(1 - torch.sigmoid(scores[negative]))
                full = full - scores[target] + torch.log(torch.exp(scores).sum())
    return binary, full


def compute(state_of, logits_of, gradients_of, fingerprints):
    """All that a fixture holds.

    `gradients_of` takes a loss and gives gradients by our names.
    """
    first = SEQUENCES[0][:LENGTH]
    states = [state_of(first[: place + 1]) for place in range(LENGTH)]
    wanted = {
        "representations": torch.stack([state_of(h[-LENGTH:]) for h in HISTORIES]),
        "states": torch.stack(states),
        "logits": torch.stack([logits_of(state) for state in states]),
    }
    for kind, loss in zip(("bce", "softmax"), losses(state_of, logits_of)):
        gradients = gradients_of(loss)
        wanted[f"loss {kind}"] = loss.reshape(1)
        wanted[f"gradients {kind}"] = fingerprints(gradients)
        wanted[f"item gradient {kind}"] = gradients["items.weight"]
    return wanted


def facts(**options):
    shape = dict(catalogSize=CATALOG, maxHistory=LENGTH, width=WIDTH, **options)
    return {"options": shape, "sequences": SEQUENCES, "histories": HISTORIES}
