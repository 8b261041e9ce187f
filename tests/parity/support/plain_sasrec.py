"""A SASRec that goes place by place.

`classic` is written from what is published of the recommender behind iLoRA: learned positions, layer
norm on the queries only, scores over the root of the head's width, a point-wise network with ReLU,
residual and layer norm, a last layer norm, a linear output layer. `modern` is the pre-norm variant:
GELU, items and positions scaled by the root of the width, output shared with the item table. Attention
is a loop over places that sees nothing later, so there is no mask and no padding to go wrong.
"""

from math import sqrt

import torch


def shapes(catalog, length, width, preset, blocks):
    M, F = width, width if preset == "classic" else 4 * width
    made = {"items.weight": (catalog + 1, M), "positions.weight": (length, M)}
    names = {"query": (M, M), "key": (M, M), "value": (M, M), "inner": (F, M), "outer": (M, F)}
    if preset == "modern":
        names["output"] = (M, M)
    for block in range(blocks):
        for name, shape in names.items():
            made[f"blocks.{block}.{name}.weight"] = shape
            made[f"blocks.{block}.{name}.bias"] = shape[:1]
        for norm in ("attention_norm", "feed_forward_norm"):
            made[f"blocks.{block}.{norm}.weight"] = (M,)
            made[f"blocks.{block}.{norm}.bias"] = (M,)
    made |= {"norm.weight": (M,), "norm.bias": (M,)}
    if preset == "classic":
        made |= {"output.weight": (catalog, M), "output.bias": (catalog,)}
    return made


def make_weights(weights, prefix="", **size):
    """Wide enough that every part matters."""
    p = {}
    for name, shape in shapes(**size).items():
        center = 1.0 if name.endswith("norm.weight") else 0.0
        spread = 0.3 if center or name.endswith("bias") else 0.6
        p[name] = weights.make(f"{prefix}{name}", shape, center, spread)
    return p


def norm(x, p, name):
    mean = x.mean()
    variance = ((x - mean) ** 2).mean()
    return (x - mean) / torch.sqrt(variance + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]


def linear(x, p, name):
    return p[f"{name}.weight"] @ x + p[f"{name}.bias"]


def attend(queries, sources, p, name, heads):
    """For each place, the mixture of all places up to it."""
    K = len(queries[0]) // heads
    keys = [linear(x, p, f"{name}.key") for x in sources]
    values = [linear(x, p, f"{name}.value") for x in sources]
    mixed = []
    for place, x in enumerate(queries):
        query = linear(x, p, f"{name}.query")
        parts = []
        for head in range(heads):
            own = slice(head * K, (head + 1) * K)
            scores = torch.stack([query[own] @ keys[j][own] / sqrt(K) for j in range(place + 1)])
            weights = torch.exp(scores) / torch.exp(scores).sum()
            parts.append(sum(weights[j] * values[j][own] for j in range(place + 1)))
        mixed.append(torch.cat(parts))
    return mixed


def relu(x):
    return x * (x > 0)


def gelu(x):
    return 0.5 * x * (1 + torch.erf(x / sqrt(2)))


def states(items, p, preset, blocks, heads):
    """The state after every item."""
    scale = sqrt(p["positions.weight"].shape[1]) if preset == "modern" else 1.0
    x = [
        scale * p["items.weight"][item] + scale * p["positions.weight"][place]
        for place, item in enumerate(items)
    ]
    for block in range(blocks):
        name = f"blocks.{block}"
        normed = [norm(v, p, f"{name}.attention_norm") for v in x]
        if preset == "classic":
            mixed = attend(normed, x, p, name, heads)
            x = [q + m for q, m in zip(normed, mixed)]
            inner = [linear(relu(linear(v, p, f"{name}.inner")), p, f"{name}.outer") for v in x]
            x = [norm(v + i, p, f"{name}.feed_forward_norm") for v, i in zip(x, inner)]
        else:
            mixed = attend(normed, normed, p, name, heads)
            x = [v + linear(m, p, f"{name}.output") for v, m in zip(x, mixed)]
            normed = [norm(v, p, f"{name}.feed_forward_norm") for v in x]
            inner = [linear(gelu(linear(v, p, f"{name}.inner")), p, f"{name}.outer") for v in normed]
            x = [v + i for v, i in zip(x, inner)]
    return [norm(v, p, "norm") for v in x]


def logits(state, p):
    if "output.weight" in p:
        return linear(state, p, "output")
    return p["items.weight"][:-1] @ state
