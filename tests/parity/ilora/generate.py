"""Writes fixtures: experts, gates and ten steps of training of a tiny iLoRA, computed by naive.py.

    python3 -m venv venv && venv/bin/pip install -r ../requirements.txt
    venv/bin/python generate.py [NAME ...]

All in double precision; weights and inputs are made from their names.
"""

import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))
import plain_sasrec  # noqa: E402
from naive import Ilora, expert_linear, gate, learning_rate_factor, make_gate  # noqa: E402
from reference import Weights, fingerprints, save, uniform, whole  # noqa: E402
from tiny_llama import make_weights  # noqa: E402

GATES = ["linear", "conv", "conv-batch-norm"]
CONFIG = dict(
    vocabSize=32,
    hiddenSize=16,
    intermediateSize=24,
    numLayers=2,
    numHeads=4,
    numKvHeads=2,
    headDim=4,
    rmsNormEps=1e-5,
    ropeTheta=10_000,
)
ITEMS, LENGTH, WIDTH = 9, 4, 8  # catalog and shape of the recommender
ADAPTER = dict(rank=4, alpha=8, experts=2)
TRAINING = dict(
    steps=10,
    warmupShare=0.2,
    clipNorm=3.0,
    weightDecay=0.05,
    rates=dict(lora=0.02, gate=0.006, projector=0.02),
)
BOS, COMMA, NEWLINE = 0, 1, 2
ROWS = [
    dict(history=[0, 1, 2], target=3, candidates=[5, 3, 8]),
    dict(history=[4, 7, 8, 2, 6], target=7, candidates=[7, 0]),  # longer than the recommender sees
    dict(history=[8], target=2, candidates=[2, 6]),
    dict(history=[3, 5], target=1, candidates=[4, 1, 0]),
]


def write(name, wanted, facts, weights=None):
    save(HERE / "fixtures" / f"{name}.safetensors", wanted, facts, weights)


def experts():
    """One layer with a bias, four experts of rank two, three instances with gates of their own."""
    B, T, I, O, E, R = 3, 4, 6, 5, 4, 2
    weights = Weights()
    shapes = dict(x=[B, T, I], gates=[B, E], weight=[O, I], bias=[O], down=[E * R, I], up=[O, E * R])
    p = {name: weights.make(f"expert {name}", shape) for name, shape in shapes.items()}
    trained = {name: p[name].requires_grad_(True) for name in ("x", "gates", "down", "up")}
    alpha = 3.0
    wanted = {}
    for scale_by, rank in (("total-rank", E * R), ("expert-rank", R)):
        y = torch.stack(
            [
                torch.stack(
                    [
                        expert_linear(
                            p["x"][b, t], p["weight"], p["bias"], p["down"], p["up"],
                            p["gates"][b], alpha / rank,
                        )
                        for t in range(T)
                    ]
                )
                for b in range(B)
            ]
        )
        loss = (y * uniform("expert mixture", y.shape)).sum()
        wanted[f"{scale_by} y"] = y
        for name, gradient in zip(trained, torch.autograd.grad(loss, list(trained.values()))):
            wanted[f"{scale_by} gradient {name}"] = gradient
    write("experts", wanted, dict(experts=E, totalRank=E * R, alpha=alpha), weights)


def together(tensors):
    return torch.cat([tensors[name].detach().reshape(-1) for name in sorted(tensors)])


def gates():
    """Each gate over five representations: training, then evaluation with what training left."""
    B, M, E = 5, 16, 4
    for kind in GATES:
        weights = Weights()
        z = weights.make("representations", [B, M]).requires_grad_(True)
        p = make_gate(weights, kind, E, M)
        trained = {n: t.requires_grad_(True) for n, t in p.items() if "running" not in n}
        mixture = uniform("gate mixture", [B, E])
        wanted = {}
        for use in ("training", "evaluation"):
            omega = torch.stack(gate(z, p, kind, use == "training"))
            found = torch.autograd.grad((omega * mixture).sum(), [z, *trained.values()])
            wanted |= {use: omega, f"{use} gradient representations": found[0]}
            wanted[f"{use} gradients"] = fingerprints(dict(zip(trained, found[1:])))
        statistics = {n: t for n, t in p.items() if "running" in n}
        if statistics:
            wanted["statistics"] = fingerprints(statistics)
        write(f"gate-{kind}", wanted, dict(experts=E, width=M), weights)


def training(kind):
    weights = Weights()
    shapes = {"embed_tokens.weight": (CONFIG["vocabSize"], CONFIG["hiddenSize"])}
    D, F = CONFIG["hiddenSize"], CONFIG["intermediateSize"]
    kv = CONFIG["numKvHeads"] * CONFIG["headDim"]
    layers = {
        "self_attn.q_proj": (D, D),
        "self_attn.k_proj": (kv, D),
        "self_attn.v_proj": (kv, D),
        "self_attn.o_proj": (D, D),
        "mlp.gate_proj": (F, D),
        "mlp.up_proj": (F, D),
        "mlp.down_proj": (D, F),
    }
    for layer in range(CONFIG["numLayers"]):
        for name, shape in layers.items():
            shapes[f"layers.{layer}.{name}.weight"] = shape
        for name in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"layers.{layer}.{name}.weight"] = (D,)
    shapes |= {"norm.weight": (D,), "lm_head.weight": (CONFIG["vocabSize"], D)}
    base = make_weights(weights, shapes, embedding_spread=0.5)
    size = dict(catalog=ITEMS, length=LENGTH, width=WIDTH, preset="classic", blocks=1)
    stored = plain_sasrec.make_weights(weights, "sasrec.", **size)

    # The adapter: B of the paper's variant starts at zero, as it does in earnest.
    rank = ADAPTER["rank"]
    p = {}
    for layer in range(CONFIG["numLayers"]):
        for name, (O, I) in layers.items():
            key = f"layers.{layer}.{name}"
            p[f"{key}.down"] = weights.make(f"{key}.down", (rank, I), spread=I**-0.5)
            p[f"{key}.up"] = weights.make(f"{key}.up", (O, rank), spread=0.0 if kind == "linear" else 0.2)
    p |= make_gate(weights, kind, ADAPTER["experts"], WIDTH)
    for name, shape in (("input", (D, WIDTH)), ("output", (D, D))):
        p[f"projector.{name}.weight"] = weights.make(f"projector.{name}.weight", shape, spread=0.4)
        p[f"projector.{name}.bias"] = weights.make(f"projector.{name}.bias", shape[:1], spread=0.2)
    trained = {n: t.requires_grad_(True) for n, t in p.items() if "running" not in n}
    scale_by = "total-rank" if kind == "linear" else "expert-rank"
    scale = ADAPTER["alpha"] / (rank if kind == "linear" else rank // ADAPTER["experts"])
    model = Ilora(base, CONFIG, stored, p, scale, kind)

    titles = [
        [int(i) + 3 for i in whole(f"title {item}", [1 + item % 3], CONFIG["vocabSize"] - 3)]
        for item in range(ITEMS)
    ]
    rows = []
    for row in ROWS:
        ids, slots = [BOS], []
        for items in (row["history"], row["candidates"]):
            for item in items:
                ids += titles[item]
                slots.append(dict(position=len(ids), item=item))
                ids.append(COMMA)
            ids.append(NEWLINE)
        rows.append(row | dict(ids=ids, slots=slots))
    answer = lambda item: titles[item] + [NEWLINE]

    pick = lambda prefix: [t for n, t in trained.items() if n.startswith(prefix)]
    rates, decay = TRAINING["rates"], TRAINING["weightDecay"]
    groups = [
        dict(params=pick("layers."), lr=rates["lora"], weight_decay=0.0),
        dict(params=pick("gate."), lr=rates["gate"], weight_decay=decay),
        dict(params=pick("projector."), lr=rates["projector"], weight_decay=decay),
    ]
    optimizer = torch.optim.Adam(groups)
    steps, warmup = TRAINING["steps"], round(TRAINING["steps"] * TRAINING["warmupShare"])
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_factor(step, steps, warmup, 0.01, 0.01)
    )
    wanted, losses, norms = {}, [], []
    histories = [row["history"] for row in rows]
    tokens = sum(len(answer(row["target"])) for row in rows)
    for step in range(steps):
        optimizer.zero_grad()
        omegas = model.gates(histories, True)
        loss = 0.0
        for row, omega in zip(rows, omegas):
            loss = loss - model.log_likelihood(row["ids"], row["slots"], answer(row["target"]), omega)
        loss = loss / tokens
        loss.backward()
        losses.append(loss.detach())
        norms.append(torch.nn.utils.clip_grad_norm_(trained.values(), TRAINING["clipNorm"]))
        optimizer.step()
        schedule.step()
        of = lambda prefix: {n: t for n, t in p.items() if n.startswith(prefix)}
        # The large gate goes into the fingerprint as one: its values, and its statistics.
        gate_parts = {"gate": together({n: t for n, t in of("gate.").items() if "running" not in n})}
        statistics = {n: t for n, t in p.items() if "running" in n}
        if statistics:
            gate_parts["gate statistics"] = together(statistics)
        wanted[f"step {step}"] = fingerprints(of("layers.") | of("projector.") | gate_parts)
    wanted |= {"losses": torch.stack(losses), "norms": torch.stack(norms)}
    with torch.no_grad():
        omegas = model.gates(histories, False)
        wanted["gates"] = torch.stack(omegas)
        scores = [
            model.log_likelihood(row["ids"], row["slots"], answer(item), omega)
            for row, omega in zip(rows, omegas)
            for item in row["candidates"]
        ]
        wanted["scores"] = torch.stack(scores)
    if kind == "linear":
        wanted |= {f"trained {n}": t for n, t in p.items()}
    facts = dict(
        config=CONFIG,
        sasrec=dict(catalogSize=ITEMS, maxHistory=LENGTH, width=WIDTH, preset="classic", blocks=1, heads=1),
        adapter=ADAPTER | dict(gate=kind, scaleBy=scale_by),
        training=TRAINING,
        titles=titles,
        newline=NEWLINE,
        rows=rows,
    )
    write(f"training-{kind}", wanted, facts, weights)
    print(kind, [round(x.item(), 4) for x in losses], [round(x.item(), 3) for x in norms])


def main(names):
    made = {"experts": experts, "gates": gates}
    for kind in GATES:
        made[f"training-{kind}"] = lambda kind=kind: training(kind)
    for name in names or made:
        made[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
