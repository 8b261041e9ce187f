"""What both peers share: the work of a benchmark, tasks as lines of JSON, scoring one candidate at a time.

A peer is started as `PEER.py WORK float32|bfloat16 [DEVICE]`; see ../harness/contestant.ts for the protocol and
../ours/work.ts for the files.
"""

import json
import os
import platform
import re
import sys
import time
import traceback
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file
from torch import nn
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
IGNORED = -100


class Work:
    """Instances, adapter values and settings, as the exporter wrote them."""

    def __init__(self, folder: str, adapter: str):
        self.folder = Path(folder)
        content = json.loads((self.folder / "work.json").read_text())
        self.options = content["adapter"]
        self.rates = content["rates"]
        self.clip_norm = content["clipNorm"]
        self.batches = content["batches"]
        self.ranked = content["ranked"]
        file = self.folder / f"{adapter}.safetensors"
        self.adapter = load_file(file) if file.exists() else None
        self.items = load_file(self.folder / "items.safetensors")["items"]

    def value(self, key: str, *shape: int) -> torch.Tensor:
        """A tensor of the adapter; random where the work has shapes only."""
        if self.adapter is not None:
            return self.adapter[key]
        return 0.02 * torch.randn(shape)

    def factors(self, path: str, layer: nn.Linear) -> tuple[torch.Tensor, torch.Tensor]:
        """`down` and `up` of the adapter around a layer."""
        rank = self.options["rank"]
        return self.value(f"{path}.down", rank, layer.in_features), self.value(f"{path}.up", layer.out_features, rank)

    def projector(self, width: int) -> "Projector":
        items = self.items.shape[1]
        shapes = {"input.weight": (width, items), "input.bias": (width,), "output.weight": (width, width)}
        shapes["output.bias"] = (width,)
        return Projector({key: self.value(f"projector.{key}", *shape) for key, shape in shapes.items()})

    def base(self, dtype: torch.dtype, device: torch.device) -> LlamaForCausalLM:
        folder = self.folder / "base"
        if (folder / "model.safetensors").exists():
            model = LlamaForCausalLM.from_pretrained(folder, dtype=dtype).to(device)
        else:  # a shape: random weights, drawn where they are used
            torch.set_default_dtype(dtype)
            with torch.device(device):
                model = LlamaForCausalLM(LlamaConfig.from_pretrained(folder))
            torch.set_default_dtype(torch.float32)
        model.requires_grad_(False)
        model.config.use_cache = False
        return model


class Projector(nn.Module):
    """Linear M→D, GELU, Linear D→D: items' vectors as the language model's inputs."""

    def __init__(self, tensors: dict[str, torch.Tensor]):
        super().__init__()
        for name in ("input", "output"):
            weight = tensors[f"{name}.weight"]
            layer = nn.Linear(weight.shape[1], weight.shape[0])
            layer.weight.data.copy_(weight)
            layer.bias.data.copy_(tensors[f"{name}.bias"])
            setattr(self, name, layer)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return self.output(nn.functional.gelu(self.input(vectors)))


def padded(rows: list[dict], model, projector, items, *, side: str, with_answers: bool):
    """Embeddings with the slots filled in, mask and labels of some rows, padded on one side."""
    device = model.device
    tokens = [row["ids"] + (row["answer"][:-1] if with_answers else []) for row in rows]
    width = max(map(len, tokens))
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    labels = torch.full((len(rows), width), IGNORED)
    places, slots = [], []
    for b, (row, own) in enumerate(zip(rows, tokens)):
        start = width - len(own) if side == "left" else 0
        ids[b, start : start + len(own)] = torch.tensor(own)
        mask[b, start : start + len(own)] = 1
        if with_answers:  # state t predicts label t
            first = start + len(row["ids"]) - 1
            labels[b, first : first + len(row["answer"])] = torch.tensor(row["answer"])
        places += [b * width + start + slot["position"] for slot in row["slots"]]
        slots += [slot["item"] for slot in row["slots"]]
    embedded = model.get_input_embeddings()(ids.to(device))
    if slots:
        vectors = projector(items[slots]).to(embedded.dtype)
        flat = embedded.reshape(-1, embedded.shape[-1])
        embedded = flat.index_copy(0, torch.tensor(places, device=device), vectors).view_as(embedded)
    return embedded, mask.to(device), labels.to(device)


@torch.no_grad()
def rank_one_by_one(model, embed, row: dict) -> list[float]:
    """Log-likelihood of every candidate's title after the prompt, whose keys and values are kept."""
    cache = DynamicCache(config=model.config)
    prompt = model(inputs_embeds=embed(row), past_key_values=cache, use_cache=True, logits_to_keep=1)
    first = prompt.logits[:, -1:]
    scores = []
    for tokens in row["candidates"]:
        ids = torch.tensor([tokens], device=model.device)
        logits = first
        if len(tokens) > 1:
            rest = model(input_ids=ids[:, :-1], past_key_values=cache, use_cache=True).logits
            logits = torch.cat([first, rest], 1)
            cache.crop(-(len(tokens) - 1))
        logs = logits.float().log_softmax(-1)
        scores.append(logs.gather(-1, ids[..., None]).sum().item())
    return scores


def seconds_of(work, device: torch.device) -> tuple[float, object]:
    """Time of some work; a GPU is waited for on both sides."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


class Trained:
    """What the peers' steps have in common: `backward` is theirs, with `model`, `optimizer` and `parameters`."""

    work: Work
    device: torch.device

    def backward(self, rows: list[dict], targets: int) -> float:
        """Gradients of the rows' share of a mean over so many targets; returns that share of the loss."""
        raise NotImplementedError

    def share(self, task: dict) -> tuple[list[dict], int]:
        """The rows of a task's batch, or one process's share of them, and the targets of the whole batch."""
        rows = self.work.batches[task["batch"]]
        targets = sum(len(row["answer"]) for row in rows)
        process, processes = task.get("share", (0, 1))
        by_length = sorted(rows, key=lambda row: len(row["ids"]) + len(row["answer"]))
        return (by_length[process::processes] if processes > 1 else rows), targets

    def train(self, task: dict) -> dict:
        self.model.train()

        def step() -> float:
            self.optimizer.zero_grad()
            loss = self.backward(*self.share(task))
            nn.utils.clip_grad_norm_(self.parameters, self.work.clip_norm)
            self.optimizer.step()
            return loss

        seconds, loss = seconds_of(step, self.device)
        return {"seconds": seconds, "loss": loss}

    def loss(self, task: dict) -> dict:
        self.model.eval()
        loss = self.backward(*self.share(task))
        norm = sum(p.grad.double().square().sum().item() for p in self.parameters if p.grad is not None) ** 0.5
        self.optimizer.zero_grad()
        return {"loss": loss, "gradientNorm": norm}


def memory(task: dict) -> dict:
    status = Path("/proc/self/status").read_text()
    peak = 1024 * int(re.search(r"^VmHWM:\s*(\d+) kB", status, re.M).group(1))
    if task.get("reset"):
        Path("/proc/self/clear_refs").write_text("5")
    return {"peakBytes": peak}


def serve(tasks: dict) -> None:
    """Does what the lines of stdin say, and answers on stdout; whatever else is printed goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(answer: dict) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    tasks = {"memory": memory, **tasks}
    say(
        {
            "ready": True,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "threads": torch.get_num_threads(),
        }
    )
    for line in sys.stdin:
        task = json.loads(line)
        try:
            say(tasks[task["do"]](task))
        except Exception:
            say({"error": traceback.format_exc()})
