"""P1: iLoRA the way its authors' program works, in plain PyTorch on transformers.

Written from the paper's equations (9 to 12) and the description of the program: every linear layer builds each
expert's whole output one after the other and adds them up weighted by the gate; instances are padded to the longest
of their batch of 8; logits are computed at all positions and the loss ignores those of the prompt; answers are
generated greedily. Adapter values are kept in float32 and used in the activations' type.
"""

import sys

import torch
from common import TARGETS, Trained, Work, padded, rank_one_by_one, seconds_of, serve
from torch import nn

MICRO_BATCH = 8
"""Instances at once, in training and generation, as in the authors' scripts for MovieLens."""


class Gate(nn.Module):
    """ω = softmax(W_g z); the weights of the batch at hand stand in `weights`, where all layers read them."""

    def __init__(self, weight: torch.Tensor):
        super().__init__()
        self.weight = nn.Parameter(weight.clone())
        self.weights = None

    def forward(self, representations: torch.Tensor) -> None:
        self.weights = nn.functional.linear(representations, self.weight).softmax(-1)


class ExpertsLinear(nn.Module):
    """y = W x + scale · Σ_e ω_e · B_e A_e dropout(x), expert by expert."""

    def __init__(self, base: nn.Linear, gate: Gate, options: dict, down: torch.Tensor, up: torch.Tensor):
        super().__init__()
        self.base = base
        self._gate = [gate]  # in a list: it is not this layer's
        experts, rank = options["experts"], options["rank"]
        self.scale = options["alpha"] / (rank if options["scaleBy"] == "total-rank" else rank // experts)
        self.dropout = nn.Dropout(options["dropout"])
        self.down = nn.ParameterList(part.clone() for part in down.chunk(experts, 0))
        self.up = nn.ParameterList(part.clone() for part in up.chunk(experts, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        dropped = self.dropout(x)
        weights = self._gate[0].weights.to(x.dtype)
        update = 0
        for expert, (down, up) in enumerate(zip(self.down, self.up)):
            output = nn.functional.linear(nn.functional.linear(dropped, down.to(x.dtype)), up.to(x.dtype))
            update = update + weights[:, expert, None, None] * output
        return self.base(x) + self.scale * update


class AuthorsStyle(Trained):
    def __init__(self, work: Work, dtype: torch.dtype, device: torch.device):
        self.work, self.device = work, device
        self.model = work.base(dtype, device)
        self.gate = Gate(work.value("gate.weight", work.options["experts"], work.items.shape[1])).to(device)
        self.projector = work.projector(self.model.config.hidden_size).to(device)
        self.items = work.items.to(device)
        adapted = [
            (path, layer)
            for path, layer in self.model.model.named_modules()
            if path.rpartition(".")[2] in TARGETS
        ]
        for path, layer in adapted:
            parent, _, name = path.rpartition(".")
            wrapped = ExpertsLinear(layer, self.gate, work.options, *work.factors(path, layer)).to(device)
            setattr(self.model.model.get_submodule(parent), name, wrapped)
        lora = [p for p in self.model.parameters() if p.requires_grad]
        self.groups = [
            {"params": lora, "lr": work.rates["lora"], "weight_decay": 0},
            {"params": list(self.gate.parameters()), "lr": work.rates["gate"]},
            {"params": list(self.projector.parameters()), "lr": work.rates["projector"]},
        ]
        self.optimizer = torch.optim.Adam(self.groups, weight_decay=work.rates["weightDecay"])
        self.parameters = [p for group in self.groups for p in group["params"]]

    def backward(self, rows: list[dict], targets: int) -> float:
        total = 0.0
        for start in range(0, len(rows), MICRO_BATCH):
            part = rows[start : start + MICRO_BATCH]
            self.look_at(part)
            embedded, mask, labels = self.inputs(part, side="right", with_answers=True)
            logits = self.model(inputs_embeds=embedded, attention_mask=mask).logits.float()
            loss = nn.functional.cross_entropy(
                logits.flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum"
            )
            (loss / targets).backward()
            total += loss.item() / targets
        return total

    def inputs(self, rows: list[dict], **how):
        return padded(rows, self.model, self.projector, self.items, **how)

    def look_at(self, rows: list[dict]) -> None:
        self.gate(torch.tensor([row["representation"] for row in rows], device=self.device))

    def rank(self, task: dict) -> dict:
        self.model.eval()

        def embed(row: dict) -> torch.Tensor:
            self.look_at([row])
            return self.inputs([row], side="left", with_answers=False)[0]

        rows = [self.work.ranked[i] for i in task["rows"]]
        seconds, scores = seconds_of(
            lambda: [rank_one_by_one(self.model, embed, row) for row in rows], self.device
        )
        return {"seconds": seconds, "scores": scores}

    @torch.no_grad()
    def generate(self, task: dict) -> dict:
        """Greedy answers; `stops` ends a batch where the longest true title of it would end."""
        self.model.eval()
        rows = [self.work.ranked[i] for i in task["rows"]]

        def answer() -> list[int]:
            lengths = []
            for start in range(0, len(rows), MICRO_BATCH):
                part = rows[start : start + MICRO_BATCH]
                self.look_at(part)
                embedded, mask, _ = self.inputs(part, side="left", with_answers=False)
                most = max(len(row["answer"]) for row in part) if task["stops"] else task["maxNewTokens"]
                made = self.model.generate(
                    inputs_embeds=embedded,
                    attention_mask=mask,
                    do_sample=False,
                    use_cache=True,
                    max_new_tokens=most,
                    min_new_tokens=most if task["stops"] else 1,
                    pad_token_id=0,
                )
                lengths.append(made.shape[1])
            return lengths

        seconds, lengths = seconds_of(answer, self.device)
        return {"seconds": seconds, "newTokens": lengths}


def main(folder: str, dtype: str, device: str = "cpu") -> None:
    torch.manual_seed(1)
    peer = AuthorsStyle(Work(folder, "ilora"), getattr(torch, dtype), torch.device(device))
    serve({"loss": peer.loss, "train": peer.train, "rank": peer.rank, "generate": peer.generate})


if __name__ == "__main__":
    main(*sys.argv[1:])
