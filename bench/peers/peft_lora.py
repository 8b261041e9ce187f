"""P2: plain LoRA with item slots on transformers and PEFT, at their best settings.

No wasted work that these libraries let one avoid: batches grouped by length, logits only from the last prompt
position on (`logits_to_keep`, with padding on the left), fused Adam, scaled-dot-product attention. Batch size, how the adapters compute and
torch.compile are chosen by the benchmark with the task `configure`.
"""

import json
import sys
from contextlib import nullcontext

import peft
import torch
from common import TARGETS, Trained, Work, padded, rank_one_by_one, seconds_of, serve
from torch import nn


class PeftLora(Trained):
    def __init__(self, work: Work, dtype: torch.dtype, device: torch.device, settings: dict):
        self.work, self.dtype, self.device = work, dtype, device
        self.items = work.items.to(device)
        self.configure(settings)

    def configure(self, task: dict) -> dict:
        """
        batch:    instances at once, of similar length
        adapters: `float32` (as PEFT sets them up), `autocast` (float32, computed in the base's type) or `base` (kept
                  and computed in the base's type)
        compile:  whether the model goes through torch.compile
        """
        self.batch = task.get("batch", 1)
        self.adapters = task.get("adapters", "float32" if self.dtype == torch.float32 else "base")
        base = self.work.base(self.dtype, self.device)
        options = self.work.options
        config = peft.LoraConfig(
            r=options["rank"],
            lora_alpha=options["alpha"],
            lora_dropout=options["dropout"],
            target_modules=list(TARGETS),
        )
        self.peft = peft.get_peft_model(base, config, autocast_adapter_dtype=self.adapters != "base")
        self.model = self.peft.get_base_model()
        self.projector = self.work.projector(self.model.config.hidden_size).to(self.device)
        with torch.no_grad():
            for path, layer in self.model.model.named_modules():
                if path.rpartition(".")[2] in TARGETS:
                    down, up = self.work.factors(path, layer)
                    layer.lora_A["default"].weight.copy_(down)
                    layer.lora_B["default"].weight.copy_(up)
        lora = [p for p in self.model.parameters() if p.requires_grad]
        rates = self.work.rates
        groups = [
            {"params": lora, "lr": rates["lora"], "weight_decay": 0},
            {"params": list(self.projector.parameters()), "lr": rates["projector"]},
        ]
        self.optimizer = torch.optim.Adam(groups, weight_decay=rates["weightDecay"], fused=True)
        self.parameters = [p for group in groups for p in group["params"]]
        self.forward = torch.compile(self.model, dynamic=True) if task.get("compile") else self.model
        return {"batch": self.batch, "adapters": self.adapters, "compile": bool(task.get("compile"))}

    def precision(self):
        if self.adapters == "autocast":
            return torch.autocast(self.device.type, dtype=self.dtype)
        return nullcontext()

    def backward(self, rows: list[dict], targets: int) -> float:
        rows = sorted(rows, key=lambda row: len(row["ids"]) + len(row["answer"]))
        total = 0.0
        for start in range(0, len(rows), self.batch):
            part = rows[start : start + self.batch]
            keep = max(len(row["answer"]) for row in part)
            embedded, mask, labels = self.inputs(part, with_answers=True)
            is_full = bool(mask.all())
            positions = (mask.cumsum(1) - 1).clamp(min=0)
            with self.precision():
                logits = self.forward(
                    inputs_embeds=embedded,
                    attention_mask=None if is_full else mask,
                    position_ids=None if is_full else positions,
                    logits_to_keep=keep,
                ).logits
            loss = nn.functional.cross_entropy(
                logits.float().flatten(0, 1), labels[:, -keep:].flatten(), ignore_index=-100, reduction="sum"
            )
            (loss / targets).backward()
            total += loss.item() / targets
        return total

    def inputs(self, rows: list[dict], with_answers: bool):
        return padded(rows, self.model, self.projector, self.items, side="left", with_answers=with_answers)

    def rank(self, task: dict) -> dict:
        self.model.eval()
        rows = [self.work.ranked[i] for i in task["rows"]]

        def embed(row: dict) -> torch.Tensor:
            return self.inputs([row], with_answers=False)[0]

        with self.precision():
            seconds, scores = seconds_of(
                lambda: [rank_one_by_one(self.model, embed, row) for row in rows], self.device
            )
        return {"seconds": seconds, "scores": scores}


def main(folder: str, dtype: str, device: str = "cpu", settings: str = "{}") -> None:
    torch.manual_seed(1)
    peer = PeftLora(Work(folder, "lora"), getattr(torch, dtype), torch.device(device), json.loads(settings))
    serve({"configure": peer.configure, "loss": peer.loss, "train": peer.train, "rank": peer.rank})


if __name__ == "__main__":
    main(*sys.argv[1:])
