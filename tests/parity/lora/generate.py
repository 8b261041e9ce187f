"""Writes fixtures/peft.safetensors: what PEFT computes with LoRA on a tiny Llama of transformers.

    python3 -m venv venv && venv/bin/pip install -r ../requirements.txt
    venv/bin/python generate.py

Logits and gradients where B is not zero; ten steps of AdamW with decay and clipping from B = 0. All in
double precision; weights and token ids are made from their names.
"""

import sys
from math import sqrt
from pathlib import Path

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))
from reference import Weights, fingerprints, read_float32_as_float64, save, whole  # noqa: E402
from tiny_llama import load_into  # noqa: E402

CONFIG = LlamaConfig(
    vocab_size=32,
    hidden_size=16,
    intermediate_size=24,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    tie_word_embeddings=False,
    rms_norm_eps=1e-5,
    max_position_embeddings=512,
    rope_parameters=dict(rope_type="default", rope_theta=10_000.0),
)
LORA = dict(r=2, alpha=8)
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
TRAINING = dict(learningRate=0.02, weightDecay=0.1, clipNorm=6.0, steps=10)
SHAPE = [3, 6]


def main():
    read_float32_as_float64()
    CONFIG._attn_implementation = "eager"
    base = LlamaForCausalLM(CONFIG).double()
    weights = Weights()
    with torch.no_grad():
        load_into(base, weights)
    model = get_peft_model(
        base,
        LoraConfig(r=LORA["r"], lora_alpha=LORA["alpha"], target_modules=TARGETS, lora_dropout=0.0),
    ).double()

    # base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight
    def own_name(name):
        path = name.removeprefix("base_model.model.model.").removesuffix(".default.weight")
        return path.replace("lora_A", "down").replace("lora_B", "up")

    trained = {own_name(n): p for n, p in model.named_parameters() if p.requires_grad}
    assert len(trained) == 2 * 7 * 2, list(trained)

    def loss_of(ids):
        logits = model(ids).logits
        return logits, torch.nn.functional.cross_entropy(
            logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten()
        )

    def start(up_spread):
        with torch.no_grad():
            for name, tensor in trained.items():
                spread = up_spread if name.endswith(".up") else sqrt(3 / tensor.shape[1])
                tensor.copy_(weights.make(name, tensor.shape, spread=spread))
                tensor.grad = None

    start(0.5)
    logits, loss = loss_of(whole("ids", SHAPE, CONFIG.vocab_size))
    loss.backward()
    wanted = {"logits": logits, "loss": loss.reshape(1)}
    wanted["gradients"] = fingerprints({name: tensor.grad for name, tensor in trained.items()})

    recipe = dict(weights.recipe)
    start(0.0)
    weights.recipe = recipe  # the test sets B = 0 itself
    optimizer = torch.optim.AdamW(
        trained.values(), lr=TRAINING["learningRate"], weight_decay=TRAINING["weightDecay"]
    )
    losses, norms, steps = [], [], []
    for step in range(TRAINING["steps"]):
        optimizer.zero_grad()
        _, loss = loss_of(whole(f"ids of step {step}", SHAPE, CONFIG.vocab_size))
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(trained.values(), TRAINING["clipNorm"]))
        optimizer.step()
        losses.append(loss.detach())
        steps.append(fingerprints(trained))
    wanted |= {"losses": torch.stack(losses), "norms": torch.stack(norms)}
    wanted |= {f"step {step}": rows for step, rows in enumerate(steps)}
    wanted |= {f"trained {name}": tensor for name, tensor in trained.items()}
    facts = {
        "lora": LORA,
        "targets": TARGETS,
        "training": TRAINING,
        "shape": SHAPE,
        "madeWith": {"transformers": transformers.__version__, "peft": peft.__version__},
    }
    save(HERE / "fixtures" / "peft.safetensors", wanted, facts, weights)
    print([round(float(x), 3) for x in losses], [round(float(x), 3) for x in norms])


if __name__ == "__main__":
    main()
