"""Writes fixtures: ten steps of training of tiny streaming iLoRAs, computed by plain_streaming.py.

    python3 -m venv venv && venv/bin/pip install -r ../requirements.txt
    venv/bin/python generate.py [NAME ...]

All in double precision; weights and inputs are made from their names.
"""

import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent
from plain_streaming import StreamingIlora, plain_sasrec  # noqa: E402  (finds ../support and ../ilora)
from naive import learning_rate_factor, make_gate  # noqa: E402
from reference import Weights, save, whole  # noqa: E402
from tiny_llama import make_weights  # noqa: E402

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
ITEMS, LENGTH, WIDTH = 13, 6, 8  # catalog and shape of the encoder
INSTRUCTION = [3, 5]
SEQUENCES = [[0, 1, 2, 5, 3, 7, 1], [4, 7], [6, 3, 0, 2], [5, 5, 1, 6, 4, 0]]  # without item 8
QUERIES = [[2, 0, 6], [8], [1, 8, 3, 3, 7, 4]]  # scored after training, item 8 too
TRAINING = dict(
    steps=10,
    warmupShare=0.2,
    weightDecay=0.05,
    rates=dict(lora=0.02, gate=0.006, projector=0.01, head=0.015, encoder=0.004),
)
CLASSIC = dict(preset="classic", blocks=1, heads=1)
MODERN = dict(preset="modern", blocks=1, heads=2)
# Every step lacks two items that the sequences have.
LACKING = [[step % 7, (3 * step + 1) % 8] for step in range(TRAINING["steps"])]
# Some steps lack none. No item is unknown, so what is added for missing ones has no gradient there and stays.
AT_TIMES = [[] if step % 3 == 0 else [step % 7] for step in range(TRAINING["steps"])]
NONE = [[] for _ in range(TRAINING["steps"])]
CASES = {
    "compact": dict(
        form="compact", layers=2, residual=True, readsTexts=True, encoder=CLASSIC,
        trainsEncoder=False, scaleBy="total-rank", counts=[3, 40, 1, 2, 7, 25, 9, 4, 0, 1, 30, 6, 2], missing=LACKING, clipNorm=2.0,
    ),
    "long": dict(
        form="long", layers=1, residual=False, readsTexts=True, encoder=MODERN,
        trainsEncoder=False, scaleBy="expert-rank", counts=[1] * ITEMS, missing=NONE, clipNorm=2.0,
    ),
    "trained-encoder": dict(
        form="compact", layers=1, residual=True, readsTexts=False, encoder=MODERN,
        trainsEncoder=True, scaleBy="expert-rank", counts=[1] * ITEMS, missing=AT_TIMES, clipNorm=2.0,
    ),
}  # fmt: skip
ADAPTER = dict(rank=4, alpha=8, experts=2)


def layer_shapes():
    D, F = CONFIG["hiddenSize"], CONFIG["intermediateSize"]
    kv = CONFIG["numKvHeads"] * CONFIG["headDim"]
    return {
        "self_attn.q_proj": (D, D),
        "self_attn.k_proj": (kv, D),
        "self_attn.v_proj": (kv, D),
        "self_attn.o_proj": (D, D),
        "mlp.gate_proj": (F, D),
        "mlp.up_proj": (F, D),
        "mlp.down_proj": (D, F),
    }


def make_base(weights):
    D, V = CONFIG["hiddenSize"], CONFIG["vocabSize"]
    shapes = {"embed_tokens.weight": (V, D), "norm.weight": (D,), "lm_head.weight": (V, D)}
    for layer in range(CONFIG["numLayers"]):
        for name, shape in layer_shapes().items():
            shapes[f"layers.{layer}.{name}.weight"] = shape
        for name in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"layers.{layer}.{name}.weight"] = (D,)
    return make_weights(weights, shapes, embedding_spread=0.5)


def make_parts(weights, case):
    """The adapter and the encoder by their keys; nothing is zero, so that every part matters."""
    D, rank, p = CONFIG["hiddenSize"], ADAPTER["rank"], {}
    for layer in range(case["layers"]):
        for name, (O, I) in layer_shapes().items():
            key = f"layers.{layer}.{name}"
            p[f"{key}.down"] = weights.make(f"{key}.down", (rank, I), spread=I**-0.5)
            p[f"{key}.up"] = weights.make(f"{key}.up", (O, rank), spread=0.2)
    p |= make_gate(weights, "linear", ADAPTER["experts"], WIDTH)
    shapes = {
        "projector.input.weight": (D, WIDTH),
        "projector.input.bias": (D,),
        "projector.output.weight": (D, D),
        "projector.output.bias": (D,),
        "head.output.weight": (WIDTH, D),
        "head.output.bias": (WIDTH,),
        "head.missing_slot": (WIDTH,),
        "head.missing_output": (WIDTH,),
    }
    if case["readsTexts"]:
        shapes["head.texts"] = (WIDTH, D)
    if case["residual"]:
        shapes["head.residual"] = (1,)
    for name, shape in shapes.items():
        p[name] = weights.make(name, shape, spread=0.4)
    size = {name: case["encoder"][name] for name in ("preset", "blocks")}
    size |= dict(catalog=ITEMS, length=LENGTH, width=WIDTH)
    encoder = plain_sasrec.make_weights(weights, "encoder.", **size)
    return p | {f"encoder.{name}": tensor for name, tensor in encoder.items()}


def training(name):
    case, weights = CASES[name], Weights()
    base, p = make_base(weights), make_parts(weights, case)
    trained = {n: t for n, t in p.items() if case["trainsEncoder"] or not n.startswith("encoder.")}
    for tensor in trained.values():
        tensor.requires_grad_(True)
    titles = [
        [int(i) for i in whole(f"title {item}", [1 + item % 3], CONFIG["vocabSize"])]
        for item in range(ITEMS)
    ]
    rank, experts = ADAPTER["rank"], ADAPTER["experts"]
    scale = ADAPTER["alpha"] / (rank if case["scaleBy"] == "total-rank" else rank // experts)
    reading = dict(instruction=INSTRUCTION, titles=titles)
    reading |= {key: case[key] for key in ("form", "layers", "counts")}
    model = StreamingIlora(base, CONFIG, p, scale, experts, case["encoder"], reading)

    groups = []
    for prefix, part in (("layers", "lora"), *((x, x) for x in ("gate", "projector", "head", "encoder"))):
        params = [t for n, t in trained.items() if n.startswith(f"{prefix}.")]
        decay = 0.0 if part in ("lora", "encoder") else TRAINING["weightDecay"]
        if params:
            groups.append(dict(params=params, lr=TRAINING["rates"][part], weight_decay=decay))
    optimizer = torch.optim.Adam(groups)
    steps, warmup = TRAINING["steps"], round(TRAINING["steps"] * TRAINING["warmupShare"])
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_factor(step, steps, warmup, 0.01, 0.01)
    )
    losses, norms = [], []
    places = sum(len(items) - 1 for items in SEQUENCES)
    for missing in case["missing"]:
        optimizer.zero_grad()
        loss = sum(model.loss(items, missing) for items in SEQUENCES) / places
        loss.backward()
        losses.append(loss.detach())
        norms.append(torch.nn.utils.clip_grad_norm_(trained.values(), case["clipNorm"]))
        optimizer.step()
        schedule.step()
    wanted = {"losses": torch.stack(losses), "norms": torch.stack(norms)}
    wanted |= {f"trained {n}": t for n, t in trained.items()}
    with torch.no_grad():
        found = [model.scores(history, []) for history in QUERIES]
        wanted["scores"] = torch.stack([scores[-1] for scores, _ in found])
        wanted["gates"] = torch.stack([omegas[-1] for _, omegas in found])
    facts = case | dict(
        config=CONFIG,
        encoder=dict(catalogSize=ITEMS, maxHistory=LENGTH, width=WIDTH, **case["encoder"]),
        adapter=ADAPTER,
        training=TRAINING,
        instruction=INSTRUCTION,
        titles=titles,
        sequences=SEQUENCES,
        queries=QUERIES,
    )
    save(HERE / "fixtures" / f"{name}.safetensors", wanted, facts, weights)
    print(name, [round(x.item(), 4) for x in losses], [round(x.item(), 3) for x in norms])


if __name__ == "__main__":
    for name in sys.argv[1:] or CASES:
        training(name)
