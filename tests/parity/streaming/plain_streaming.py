"""Streaming iLoRA as its equations read: one sequence, one place, one expert at a time.

No batches, no padding, no masks. The written-out Llama and expert are ../ilora/naive.py's. The encoder is
../support/plain_sasrec.py's, whose state after an item comes from that item and those before it.
"""

import sys
from math import sqrt
from pathlib import Path

import torch

PARITY = Path(__file__).parent.parent
sys.path[:0] = [str(PARITY / "support"), str(PARITY / "ilora")]
import plain_sasrec  # noqa: E402
from naive import expert_linear, llama, log_softmax, softmax  # noqa: E402


def text_tables(titles, embeddings):
    """Mean token embeddings, and the same with mean 0 and deviation 1 per column; both kept in float32."""
    means = [
        (sum(embeddings[token] for token in title) / len(title)).float().double() for title in titles
    ]
    center = sum(means) / len(means)
    deviation = torch.sqrt(sum((mean - center) ** 2 for mean in means) / len(means) + 1e-12)
    return means, [((mean - center) / deviation).float().double() for mean in means]


def ridge(words, vectors, weights, penalty):
    """W, whose last row is the constant, without a penalty."""
    inner = sum(w * torch.outer(x, x) for x, w in zip(words, weights))
    outer = sum(w * torch.outer(x, y) for x, y, w in zip(words, vectors, weights))
    return torch.linalg.solve(inner + torch.diag(torch.tensor([penalty] * (len(inner) - 1) + [0.0]).double()), outer)


def expected_by_words(words, vectors, counts):
    """Per item what ridge regression lets expect: of known items the one that left their fifth out."""
    known = [item for item, count in enumerate(counts) if count > 0]
    if len(known) < 10:
        return [torch.zeros_like(vector) for vector in vectors]
    words = [torch.cat([row, torch.ones(1).double()]) for row in words]
    weight = [min(count, 20) / 20 for count in counts]

    def fit(items, penalty):
        own = [[table[item] for item in items] for table in (words, vectors, weight)]
        return ridge(*own, penalty)

    def left_out(fold, penalty):
        return fit([item for k, item in enumerate(known) if k % 5 != fold], penalty)

    def error(penalty):
        maps = [left_out(fold, penalty) for fold in range(5)]
        return sum(
            weight[item] * ((words[item] @ maps[k % 5] - vectors[item]) ** 2).sum()
            for k, item in enumerate(known)
        )

    penalty = min([30, 100, 300, 1000, 3000, 10000], key=error)
    found = [row @ fit(known, penalty) for row in words]
    for k, item in enumerate(known):
        found[item] = words[item] @ left_out(k % 5, penalty)
    return found


class StreamingIlora:
    """Base, encoder, and the trained parts `p`: experts, gate, projector, head; the encoder's too where it is."""

    def __init__(self, base, config, p, scale, experts, encoder, reading):
        """`encoder`: keyword arguments of plain_sasrec; `reading`: instruction, form, titles, layers, counts."""
        self.base, self.p, self.scale, self.experts = base, p, scale, experts
        self.config = config | dict(numLayers=reading["layers"])
        self.encoder, self.reading, self.titles = encoder, reading, reading["titles"]
        self.slot_words, self.score_words = text_tables(self.titles, base["embed_tokens.weight"])
        self.sasrec = {n.removeprefix("encoder."): t for n, t in p.items() if n.startswith("encoder.")}
        self.unknown = [item for item, count in enumerate(reading["counts"]) if count == 0]
        with torch.no_grad():  # of the encoder as it is before training
            rows = range(len(self.titles))
            vectors = [
                torch.cat([self.sasrec["items.weight"][item], vector, torch.as_tensor(bias).double().reshape(1)])
                for item in rows
                for vector, bias in [self.own_output(item)]
            ]
            self.expected = expected_by_words(self.score_words, vectors, reading["counts"])
            self.width = len(self.sasrec["items.weight"][0])

    def slot(self, item, missing):
        """x = the title's mean embedding + Proj(v)."""
        p = self.p
        v = self.sasrec["items.weight"][item]
        if item in missing:
            v = self.expected[item][: self.width] + p["head.missing_slot"]
        inner = plain_sasrec.gelu(p["projector.input.weight"] @ v + p["projector.input.bias"])
        projected = p["projector.output.weight"] @ inner + p["projector.output.bias"]
        return self.slot_words[item] + projected

    def own_output(self, item):
        is_linear = "output.weight" in self.sasrec
        own = self.sasrec["output.weight" if is_linear else "items.weight"][item]
        return own, self.sasrec["output.bias"][item] if is_linear else 0.0

    def output(self, item, missing):
        """o + P T / sqrt(D), and the bias: what the state is multiplied with, and what is added."""
        p = self.p
        vector, bias = self.own_output(item)
        if item in missing:
            vector = self.expected[item][self.width : -1] + p["head.missing_output"]
            bias = self.expected[item][-1]
        if "head.texts" in p:
            words = self.score_words[item]
            vector = vector + p["head.texts"] @ words / sqrt(len(words))
        return vector, bias

    def scores(self, history, missing):
        """After each item of a history: scores of all items, and the experts' weights."""
        p, missing = self.p, [*self.unknown, *missing]
        z = plain_sasrec.states(history, self.sasrec, **self.encoder)
        even = torch.full([self.experts], 1 / self.experts, dtype=torch.float64)
        tokens = self.base["embed_tokens.weight"]
        embedded = [tokens[token] for token in self.reading["instruction"]]
        omegas, slots = [even] * len(embedded), []
        omega = even
        for place, item in enumerate(history):
            if self.reading["form"] == "long":  # its words have the experts of what came before it
                embedded += [tokens[token] for token in self.titles[item]]
                omegas += [omega] * len(self.titles[item])
            omega = softmax(p["gate.weight"] @ z[place])
            slots.append(len(embedded))
            embedded.append(self.slot(item, missing))
            omegas.append(omega)

        def layer_linear(key, x, t):
            weight, down, up = self.base[f"{key}.weight"], p[f"{key}.down"], p[f"{key}.up"]
            return expert_linear(x, weight, None, down, up, omegas[t], self.scale)

        found = llama(embedded, self.base, self.config, layer_linear)
        outputs = [self.output(item, missing) for item in range(len(self.titles))]
        scores = []
        for place, slot in enumerate(slots):
            u = p["head.output.weight"] @ found[slot] + p["head.output.bias"]
            if "head.residual" in p:
                u = u + p["head.residual"] * z[place]
            scores.append(torch.stack([u @ vector + bias for vector, bias in outputs]))
        return scores, [omegas[slot] for slot in slots]

    def loss(self, items, missing):
        """Sum over the places of -log p(next item | items up to the place), among items that training has."""
        scores, _ = self.scores(items[:-1], missing)
        known = [item for item in range(len(self.titles)) if item not in self.unknown]
        return sum(
            -log_softmax(row[known])[known.index(target)] for row, target in zip(scores, items[1:])
        )
