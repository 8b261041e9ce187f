"""What the generators share: numbers that both languages make alike, double precision, fixtures.

Weights and inputs are not stored. `uniform` and `whole` make them from a name, bit for bit as
numbers.ts does, so that a fixture holds what the reference computed and little else.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file


def bits(name, count):
    """uint32 numbers of the generator mulberry32, seeded with FNV-1a of the name."""
    with np.errstate(over="ignore"):
        seed = np.uint32(2166136261)
        for byte in name.encode():
            seed = (seed ^ np.uint32(byte)) * np.uint32(16777619)
        s = seed + (np.arange(count, dtype=np.uint32) + np.uint32(1)) * np.uint32(0x6D2B79F5)
        t = (s ^ (s >> np.uint32(15))) * (s | np.uint32(1))
        t = t ^ (t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61)))
        return t ^ (t >> np.uint32(14))


def uniform(name, shape, center=0.0, spread=1.0):
    """Numbers in [center - spread, center + spread), float64."""
    values = bits(name, int(np.prod(shape))).astype(np.float64) / 2.0**31 - 1.0
    return torch.from_numpy(center + spread * values).reshape(shape)


def whole(name, shape, bound):
    """Whole numbers in [0, bound), int64."""
    values = np.floor(bits(name, int(np.prod(shape))).astype(np.float64) / 2.0**32 * bound)
    return torch.from_numpy(values.astype(np.int64)).reshape(shape)


class Weights:
    """Makes tensors by name and remembers how, for the fixture: shape, spread, center where it is not 0."""

    def __init__(self):
        self.recipe = {}

    def make(self, name, shape, center=0.0, spread=1.0):
        self.recipe[name] = [list(shape), spread] + [center] * (center != 0)
        return uniform(name, shape, center, spread)


def read_float32_as_float64():
    """Lets libraries compute in double what they would compute in float32.

    transformers' Llama has float32 written into norms, softmax and the rotary embedding. With these names bent, its
    own code runs in double, and a difference of 1e-12 counts instead of one of 1e-6.
    """
    torch.float32 = torch.float64
    torch.float = torch.float64
    torch.Tensor.float = torch.Tensor.double
    torch.set_default_dtype(torch.float64)


def fingerprints(tensors):
    """A row per tensor, by name: its norm and two projections on fixed directions.

    Every element has a part in each, so they stand for values that would take too much room.
    """
    rows = []
    for name in sorted(tensors):
        flat = tensors[name].detach().double().reshape(-1)
        along = [uniform(f"along {k} {name}", flat.shape).dot(flat) for k in (0, 1)]
        rows.append(torch.stack([flat.norm(), *along]))
    return torch.stack(rows)


def save(path, tensors, facts, weights=None):
    """Writes a fixture: float64 tensors, and facts as JSON in its metadata."""
    Path(path).parent.mkdir(exist_ok=True)
    made_with = {"torch": torch.__version__.split("+")[0], **facts.get("madeWith", {})}
    recipe = {} if weights is None else weights.recipe
    # One entry: safetensors writes several in no fixed order.
    everything = {**facts, "madeWith": made_with, "weights": recipe}
    metadata = {"facts": json.dumps(everything, separators=(",", ":"))}
    # A fixture's own storage per tensor: views would be refused.
    own = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    save_file(own, str(path), metadata)
