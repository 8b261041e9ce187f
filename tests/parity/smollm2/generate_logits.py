"""Writes fixtures/logits.safetensors: last-token logits of transformers on the same GGUF file, in float32
for all prompts of expected.json and in bfloat16 for the shortest.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python generate_logits.py path/to/SmolLM2-135M-Instruct.Q4_1.gguf

Every 192nd of the 49,152 logits is kept; those of bfloat16 are stored widened.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
EVERY = 192
SHORT = 6  # bfloat16 is slow where the processor has no instructions for it


def main(path):
    path = Path(path)
    prompts = [p["ids"] for p in json.loads((HERE / "fixtures" / "expected.json").read_text())["prompts"]]
    short = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), i))[:SHORT]
    logits = {}
    for dtype, numbers in ((torch.float32, range(len(prompts))), (torch.bfloat16, sorted(short))):
        model = AutoModelForCausalLM.from_pretrained(
            path.parent, gguf_file=path.name, dtype=dtype, attn_implementation="eager"
        ).eval()
        name = str(dtype).removeprefix("torch.")
        with torch.no_grad():
            for number in numbers:
                found = model(torch.tensor([prompts[number]])).logits[0, -1]
                assert found.dtype == dtype
                logits[f"{name}.{number}"] = found[::EVERY].float().contiguous()
    made_with = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
    metadata = {"facts": json.dumps({"every": EVERY, "madeWith": made_with})}
    save_file(logits, HERE / "fixtures" / "logits.safetensors", metadata)
    for number in short:
        wide, narrow = logits[f"float32.{number}"], logits[f"bfloat16.{number}"]
        print(number, len(prompts[number]), float((narrow - wide).norm() / wide.norm()))


if __name__ == "__main__":
    main(sys.argv[1])
