"""iLoRA as its equations read, one instance at a time, one expert at a time.

Kong et al., NeurIPS 2024. No batches, no padding, no masks; of torch only products, sums and autograd.
Weights are dictionaries by the keys of checkpoints.
"""

import sys
from math import pi, sqrt
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))
from plain_sasrec import gelu, relu, states  # noqa: E402

STAGES = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]


def softmax(x):
    e = torch.exp(x - x.max())
    return e / e.sum()


def log_softmax(x):
    return x - x.max() - torch.log(torch.exp(x - x.max()).sum())


# ---- experts -------------------------------------------------------------------------------------


def expert_linear(x, weight, bias, down, up, omega, scale):
    """Eq. 9 and 12: y = W x + b + scale * sum over k of omega_k B_k A_k x, for one vector x."""
    rank = down.shape[0] // len(omega)
    y = weight @ x if bias is None else weight @ x + bias
    for k in range(len(omega)):
        own = slice(k * rank, (k + 1) * rank)
        delta = up[:, own] @ down[own, :]
        y = y + scale * omega[k] * (delta @ x)
    return y


# ---- gates ---------------------------------------------------------------------------------------


def linear_gate(representations, p):
    """Eq. 11: omega = softmax(W_g z)."""
    return [softmax(p["gate.weight"] @ z) for z in representations]


def convolve(x, weight, stride=1):
    """Cross-correlation of [I, L] with [O, I, 3], one zero on each side."""
    L = x.shape[1]
    edge = torch.zeros(x.shape[0], 1, dtype=x.dtype)
    padded = torch.cat([edge, x, edge], 1)
    places = range(0, L, stride)
    return torch.stack([(weight * padded[:, l : l + 3]).sum((1, 2)) for l in places], 1)


def normalise(xs, p, name, kind, is_training):
    """Over an instance's channels and places, or per channel over the batch's instances and places."""
    weight, bias = p[f"{name}.weight"][:, None], p[f"{name}.bias"][:, None]
    if kind == "instance":
        return [
            (x - x.mean()) / torch.sqrt(((x - x.mean()) ** 2).mean() + 1e-5) * weight + bias
            for x in xs
        ]
    if is_training:
        together = torch.cat(xs, 1)
        mean = together.mean(1, keepdim=True)
        squares = ((together - mean) ** 2).sum(1, keepdim=True)
        count = together.shape[1]
        variance = squares / count
        with torch.no_grad():
            p[f"{name}.running_mean"].mul_(0.9).add_(0.1 * mean[:, 0])
            p[f"{name}.running_var"].mul_(0.9).add_(0.1 * squares[:, 0] / (count - 1))
    else:
        mean, variance = p[f"{name}.running_mean"][:, None], p[f"{name}.running_var"][:, None]
    return [(x - mean) / torch.sqrt(variance + 1e-5) * weight + bias for x in xs]


def conv_gate(representations, p, kind, is_training):
    """The residual network of the authors' code over the representation as a signal of one channel."""
    xs = [convolve(z[None, :], p["gate.conv"]) for z in representations]
    xs = [relu(x) for x in normalise(xs, p, "gate.norm", kind, is_training)]
    for block, (before, after) in enumerate(zip(STAGES, STAGES[1:])):
        name = f"gate.blocks.{block}"
        stride = 1 if before == after else 2
        inner = [convolve(x, p[f"{name}.conv1"], stride) for x in xs]
        inner = [relu(x) for x in normalise(inner, p, f"{name}.norm1", kind, is_training)]
        outer = [convolve(x, p[f"{name}.conv2"]) for x in inner]
        outer = normalise(outer, p, f"{name}.norm2", kind, is_training)
        if before != after:  # every second place, new channels of zeros on both sides
            more = (after - before) // 2
            xs = [torch.nn.functional.pad(x[:, ::2], (0, 0, more, more)) for x in xs]
        xs = [relu(o + x) for o, x in zip(outer, xs)]
    return [
        softmax(p["gate.linear.weight"] @ x.mean(1) + p["gate.linear.bias"]) for x in xs
    ]


def gate(representations, p, kind, is_training):
    if kind == "linear":
        return linear_gate(representations, p)
    norm = {"conv": "instance", "conv-batch-norm": "batch"}[kind]
    return conv_gate(representations, p, norm, is_training)


def gate_shapes(kind, experts, width):
    if kind == "linear":
        return {"gate.weight": (experts, width)}, {}
    shapes, statistics = {"gate.conv": (16, 1, 3)}, {}

    def norm(name, channels):
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (channels,)
        if kind == "conv-batch-norm":
            statistics[f"{name}.running_mean"] = statistics[f"{name}.running_var"] = (channels,)

    norm("gate.norm", 16)
    for block, (before, after) in enumerate(zip(STAGES, STAGES[1:])):
        name = f"gate.blocks.{block}"
        shapes[f"{name}.conv1"] = (after, before, 3)
        norm(f"{name}.norm1", after)
        shapes[f"{name}.conv2"] = (after, after, 3)
        norm(f"{name}.norm2", after)
    shapes |= {"gate.linear.weight": (experts, 64), "gate.linear.bias": (experts,)}
    return shapes, statistics


def make_gate(weights, kind, experts, width):
    """Trained values, and running statistics that begin at 0 and 1."""
    shapes, statistics = gate_shapes(kind, experts, width)
    p = {}
    for name, shape in shapes.items():
        if len(shape) == 1:
            center = 1.0 if name.endswith("weight") else 0.0
            p[name] = weights.make(name, shape, center, 0.2)
        else:
            inputs = shape[1] * (shape[2] if len(shape) == 3 else 1)
            p[name] = weights.make(name, shape, spread=sqrt(3 / inputs))
    for name, shape in statistics.items():
        p[name] = (torch.ones if name.endswith("var") else torch.zeros)(shape, dtype=torch.float64)
    return p


# ---- the language model --------------------------------------------------------------------------


def rms(x, weight, epsilon):
    return x / torch.sqrt((x * x).mean() + epsilon) * weight


def rotate(x, position, theta):
    """Feature i and i + K/2 as a complex number, turned by position * theta^(-2i/K)."""
    half = len(x) // 2
    turned = [None] * len(x)
    for i in range(half):
        angle = torch.tensor(position * theta ** (-2 * i / len(x)), dtype=x.dtype)
        c, s = torch.cos(angle), torch.sin(angle)
        turned[i] = x[i] * c - x[i + half] * s
        turned[i + half] = x[i] * s + x[i + half] * c
    return torch.stack(turned)


def silu(x):
    return x / (1 + torch.exp(-x))


def llama(embedded, base, config, layer_linear):
    """States after the last norm of one sequence; `layer_linear(key, x, t)` is an adapted layer at position t."""
    H, G, K = config["numHeads"], config["numKvHeads"], config["headDim"]
    epsilon, theta = config["rmsNormEps"], config["ropeTheta"]
    xs = list(embedded)
    for layer in range(config["numLayers"]):
        name = f"layers.{layer}"
        normed = [rms(x, base[f"{name}.input_layernorm.weight"], epsilon) for x in xs]
        queries, keys, values = [], [], []
        for t, x in enumerate(normed):
            q, k, v = (layer_linear(f"{name}.self_attn.{part}_proj", x, t) for part in "qkv")
            queries.append([rotate(q[h * K : (h + 1) * K], t, theta) for h in range(H)])
            keys.append([rotate(k[g * K : (g + 1) * K], t, theta) for g in range(G)])
            values.append([v[g * K : (g + 1) * K] for g in range(G)])
        for t in range(len(xs)):
            mixed = []
            for h in range(H):
                g = h // (H // G)
                scores = torch.stack([queries[t][h] @ keys[s][g] for s in range(t + 1)]) / sqrt(K)
                shares = softmax(scores)
                mixed.append(sum(shares[s] * values[s][g] for s in range(t + 1)))
            xs[t] = xs[t] + layer_linear(f"{name}.self_attn.o_proj", torch.cat(mixed), t)
        for t, x in enumerate(xs):
            y = rms(x, base[f"{name}.post_attention_layernorm.weight"], epsilon)
            opened = silu(layer_linear(f"{name}.mlp.gate_proj", y, t))
            inner = opened * layer_linear(f"{name}.mlp.up_proj", y, t)
            xs[t] = x + layer_linear(f"{name}.mlp.down_proj", inner, t)
    return [rms(x, base["norm.weight"], epsilon) for x in xs]


# ---- the whole -----------------------------------------------------------------------------------


class Ilora:
    """Base, recommender, and the trained parts `p`: experts, gate, projector."""

    def __init__(self, base, config, sasrec, p, scale, gate_kind):
        self.base, self.config, self.sasrec, self.p = base, config, sasrec, p
        self.scale, self.gate_kind = scale, gate_kind

    def gates(self, histories, is_training):
        """Eq. 10: z is the recommender's state after the last item."""
        with torch.no_grad():
            longest = self.sasrec["positions.weight"].shape[0]
            z = [states(h[-longest:], self.sasrec, "classic", 1, 1)[-1] for h in histories]
        return gate(z, self.p, self.gate_kind, is_training)

    def project(self, item):
        """Eq. 6: an item's vector in the language model's width."""
        p, z = self.p, self.sasrec["items.weight"][item]
        inner = gelu(p["projector.input.weight"] @ z + p["projector.input.bias"])
        return p["projector.output.weight"] @ inner + p["projector.output.bias"]

    def log_likelihood(self, ids, slots, answer, omega):
        """Sum over the answer's tokens of log p(token | prompt, tokens before)."""
        items = {slot["position"]: slot["item"] for slot in slots}
        tokens = ids + answer[:-1]
        embedded = [
            self.project(items[t]) if t in items else self.base["embed_tokens.weight"][token]
            for t, token in enumerate(tokens)
        ]

        def layer_linear(key, x, _):
            weight, p = self.base[f"{key}.weight"], self.p
            down, up = p[f"{key}.down"], p[f"{key}.up"]
            return expert_linear(x, weight, None, down, up, omega, self.scale)

        found = llama(embedded, self.base, self.config, layer_linear)
        total = 0.0
        for i, token in enumerate(answer):
            logs = log_softmax(self.base["lm_head.weight"] @ found[len(ids) - 1 + i])
            total = total + logs[token]
        return total


def learning_rate_factor(step, total, warmup, start, end):
    """A line from `start` to 1, then half a cosine to `end`."""
    if step < warmup:
        return start + (1 - start) * step / warmup
    progress = (step - warmup) / (total - warmup)
    half = torch.cos(torch.tensor(pi * progress, dtype=torch.float64)).item()
    return end + (1 - end) * (1 + half) / 2
