"""Writes fixtures/torch.safetensors: parameters after steps of torch.optim's Adam and AdamW, norms and
gradients of clip_grad_norm_, and learning rates of torch's and transformers' schedules.

    python3 -m venv venv && venv/bin/pip install -r ../requirements.txt
    venv/bin/python generate.py

All in double precision; parameters and gradients are made from their names.
"""

import sys
from pathlib import Path

import torch
import transformers
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LinearLR, SequentialLR
from transformers import (
    get_cosine_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup,
)

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))
from reference import save, uniform  # noqa: E402

# Two groups, as an adapter's: the first without decay.
GROUPS = [
    dict(name="plain", shapes={"a": [3, 4], "b": [5]}, learningRate=0.02, weightDecay=0.0),
    dict(name="decayed", shapes={"c": [2, 3]}, learningRate=0.006, weightDecay=0.3),
]
OPTIONS = [
    dict(name="adam", isDecoupled=False, beta1=0.9, beta2=0.999, epsilon=1e-8),
    dict(name="adamw", isDecoupled=True, beta1=0.9, beta2=0.999, epsilon=1e-8),
    dict(name="adam-other-betas", isDecoupled=False, beta1=0.7, beta2=0.95, epsilon=1e-3),
    dict(name="adamw-other-betas", isDecoupled=True, beta1=0.7, beta2=0.95, epsilon=1e-3),
]
STEPS, CLIP = 12, 1.6
MISSING = {"key": "b", "steps": [3, 4]}  # torch skips a parameter without gradient
SCHEDULES = [
    dict(totalSteps=40, warmupSteps=5, startFactor=0.0, endFactor=0.0, by="transformers"),
    dict(totalSteps=40, warmupSteps=0, startFactor=0.0, endFactor=0.0, by="transformers"),
    dict(totalSteps=37, warmupSteps=4, startFactor=0.0, endFactor=0.01, by="transformers, least rate"),
    dict(totalSteps=40, warmupSteps=2, startFactor=0.01, endFactor=0.01, by="torch"),
    dict(totalSteps=7, warmupSteps=3, startFactor=0.2, endFactor=0.5, by="torch"),
]


def scheduler(optimizer, totalSteps, warmupSteps, startFactor, endFactor, by):
    if by == "transformers":
        return get_cosine_schedule_with_warmup(optimizer, warmupSteps, totalSteps)
    if by == "transformers, least rate":
        return get_cosine_with_min_lr_schedule_with_warmup(
            optimizer, warmupSteps, totalSteps, min_lr_rate=endFactor
        )
    base = optimizer.param_groups[0]["lr"]
    warm = LinearLR(optimizer, start_factor=startFactor, end_factor=1.0, total_iters=warmupSteps)
    cosine = CosineAnnealingLR(
        optimizer, T_max=totalSteps - warmupSteps, eta_min=base * endFactor
    )
    return SequentialLR(optimizer, [warm, cosine], milestones=[warmupSteps])


def rates(options):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    schedule = scheduler(optimizer, **options)
    factors = []
    for _ in range(options["totalSteps"] + 1):
        factors.append(optimizer.param_groups[0]["lr"] / 0.5)
        optimizer.step()
        schedule.step()
    return torch.tensor(factors, dtype=torch.float64)


def train(options, wanted):
    made = {
        key: uniform(f"start of {key}", shape).requires_grad_(True)
        for group in GROUPS
        for key, shape in group["shapes"].items()
    }
    kind = torch.optim.AdamW if options["isDecoupled"] else torch.optim.Adam
    optimizer = kind(
        [
            dict(
                params=[made[key] for key in group["shapes"]],
                lr=group["learningRate"],
                weight_decay=group["weightDecay"],
            )
            for group in GROUPS
        ],
        betas=(options["beta1"], options["beta2"]),
        eps=options["epsilon"],
    )
    factor = LambdaLR(optimizer, lambda step: 1 / (1 + step))
    norms, clipped, after = [], [], []
    for step in range(STEPS):
        for key, tensor in made.items():
            size = 10.0 ** (step % 3 - 1)  # some steps are clipped, some not
            tensor.grad = uniform(f"gradient {key} {step}", tensor.shape, spread=size)
        if step in MISSING["steps"]:
            made[MISSING["key"]].grad = None
        norms.append(torch.nn.utils.clip_grad_norm_(made.values(), CLIP))
        clipped.append(made["a"].grad.reshape(-1).clone())
        optimizer.step()
        factor.step()
        after.append(torch.cat([t.detach().reshape(-1).clone() for t in made.values()]))
    name = options["name"]
    wanted |= {f"{name} norms": torch.stack(norms), f"{name} clipped": torch.stack(clipped)}
    wanted[f"{name} parameters"] = torch.stack(after)


def main():
    wanted = {}
    for options in OPTIONS:
        train(options, wanted)
    for number, options in enumerate(SCHEDULES):
        wanted[f"schedule {number}"] = rates(options)
    facts = {
        "groups": GROUPS,
        "options": OPTIONS,
        "steps": STEPS,
        "clip": CLIP,
        "missing": MISSING,
        "schedules": SCHEDULES,
        "madeWith": {"transformers": transformers.__version__},
    }
    save(HERE / "fixtures" / "torch.safetensors", wanted, facts)
    print({name: list(tensor.shape) for name, tensor in wanted.items()})


if __name__ == "__main__":
    main()
