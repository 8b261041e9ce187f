"""Writes fixtures/expected.json: what transformers computes from the same GGUF file, in float32 on the CPU.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python generate.py path/to/SmolLM2-135M-Instruct.Q4_1.gguf

transformers dequantises with the `gguf` package and un-permutes query and key rows itself, so the
whole path is independent of ours. Only its tokenizer is not used: it drops the pre-tokenizer's split
of digits; `smollm_tokenizer` below restates the published tokenizer.json.
"""

import hashlib
import json
import sys
from pathlib import Path

import tokenizers
import torch
import transformers
from gguf import GGUFReader
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
PROMPTS = [
    "The capital of France is",
    "Once upon a time",
    "2 + 2 =",
    "The three primary colours are red, yellow and",
    "Water boils at 100 degrees",
    "def fibonacci(n):\n    ",
    "In 1969, humans first walked on the",
    "A user has watched these films in order: a western, a comedy and a war film. The next film is",
    "Roses are red, violets are",
    "The largest planet in our solar system is",
    "<list>\n- apples\n- oranges\n-",
    "Dear Sir or Madam,\n\nI am writing to",
    "Ünïcödé and émojis 🎬 are",
    "1, 2, 3, 4, 5,",
    "Q: What is the opposite of hot?\nA:",
    "She opened the door and saw",
    "Photosynthesis is the process by which",
    "To be, or not to be, that is the",
    "HTTP status code 404 means",
    "the",
]
TOP = 20
SAMPLE_EVERY = 48  # ids 0, 48, 96 ...: logits at these places, for the first three prompts


def smollm_tokenizer(path):
    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    vocab = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def main(path):
    path = Path(path)
    tokenizer = smollm_tokenizer(path)
    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    rounded = lambda values, digits: [round(float(v), digits) for v in values]
    prompts = []
    with torch.no_grad():
        for number, text in enumerate(PROMPTS):
            ids = tokenizer.encode(text).ids
            output = model(torch.tensor([ids]), output_hidden_states=True)
            logits = output.logits[0, -1].double()
            logsumexp = torch.logsumexp(logits, 0)
            top = torch.topk(logits - logsumexp, TOP)
            prompt = {
                "text": text,
                "ids": ids,
                "logsumexp": round(float(logsumexp), 5),
                "top": [[int(i), round(float(v), 5)] for i, v in zip(top.indices, top.values)],
                "hidden": rounded(output.hidden_states[-1][0, -1, :16], 5),
            }
            if number < 3:
                prompt["logitsEvery48"] = rounded(logits[::SAMPLE_EVERY], 4)
            prompts.append(prompt)
        text = (HERE / "text.txt").read_text()
        ids = tokenizer.encode(text).ids
        logits = model(torch.tensor([ids])).logits[0].double()
        losses = torch.nn.functional.cross_entropy(
            logits[:-1], torch.tensor(ids[1:]), reduction="none"
        )
        mean = float(losses.mean())
    expected = {
        "model": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "reference": {
            "transformers": transformers.__version__,
            "torch": torch.__version__.split("+")[0],
            "tokenizers": tokenizers.__version__,
            "dtype": "float32",
        },
        "prompts": prompts,
        "perplexity": {
            "file": "text.txt",
            "tokens": len(ids),
            "firstIds": ids[:16],
            "meanNegativeLogLikelihood": round(mean, 6),
            "perplexity": round(float(torch.exp(losses.mean())), 5),
        },
    }
    lines = json.dumps(expected, ensure_ascii=False, separators=(",", ":"))
    lines = lines.replace('{"text"', '\n{"text"').replace('"prompts"', '\n"prompts"')
    (HERE / "fixtures" / "expected.json").write_text(lines.replace('"perplexity":{', '\n"perplexity":{') + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
