"""Writes fixtures/NAME.safetensors: what transformers computes with tiny models of the Llama family.

    python3 -m venv venv && venv/bin/pip install -r ../requirements.txt
    venv/bin/python generate.py

Each fixture holds the config as transformers saves it, logits, the states after every layer, the
gradient of the loss with respect to the input embeddings, a greedy continuation, and scores of three
continuations that were each run alone. All in double precision; weights are made from their names.
"""

import sys
from pathlib import Path

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))
from reference import Weights, read_float32_as_float64, save, whole  # noqa: E402
from tiny_llama import load_into  # noqa: E402

SIZES = dict(vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=2)

CASES = {
    # Llama 3.2's: tied tables; wavelengths 6, 20, 63 and 199 fall into all three bands of the scaling.
    "llama3-rope": LlamaConfig(
        **SIZES,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        tie_word_embeddings=True,
        rms_norm_eps=1e-5,
        max_position_embeddings=512,
        rope_parameters=dict(
            rope_type="llama3",
            rope_theta=10_000.0,
            factor=8.0,
            low_freq_factor=1.0,
            high_freq_factor=4.0,
            original_max_position_embeddings=64,
        ),
    ),
    # Mistral's: untied, shared key/value heads, heads wider than hidden / heads, no window.
    "mistral": MistralConfig(
        **SIZES,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=6,
        tie_word_embeddings=False,
        rms_norm_eps=1e-6,
        max_position_embeddings=512,
        sliding_window=None,
        rope_parameters=dict(rope_type="default", rope_theta=1_000_000.0),
    ),
    # Linear scaling of positions, and biases in the attention's projections.
    "linear-rope-bias": LlamaConfig(
        **SIZES,
        num_attention_heads=4,
        num_key_value_heads=4,
        tie_word_embeddings=False,
        attention_bias=True,
        rms_norm_eps=1e-5,
        max_position_embeddings=512,
        rope_parameters=dict(rope_type="linear", rope_theta=10_000.0, factor=4.0),
    ),
}
CLASSES = {"llama": LlamaForCausalLM, "mistral": MistralForCausalLM}
BATCH, LENGTH, NEW = 2, 7, 6
CONTINUATIONS = [[3, 17, 9], [30], [5, 5]]


def main():
    read_float32_as_float64()
    for name, config in CASES.items():
        config._attn_implementation = "eager"
        config.bos_token_id = config.eos_token_id = config.pad_token_id = None
        model = CLASSES[config.model_type](config).double().eval().requires_grad_(False)
        weights = Weights()
        load_into(model, weights)
        ids = whole(f"{name} ids", (BATCH, LENGTH), SIZES["vocab_size"])
        targets = whole(f"{name} targets", (BATCH, LENGTH), SIZES["vocab_size"])

        embeddings = model.get_input_embeddings()(ids).detach().requires_grad_(True)
        output = model(inputs_embeds=embeddings, output_hidden_states=True)
        loss = torch.nn.functional.cross_entropy(output.logits.flatten(0, 1), targets.flatten())
        loss.backward()
        wanted = {"logits": output.logits, "loss": loss.reshape(1), "embeddingGradient": embeddings.grad}
        # hidden_states: the embeddings, then the state after each layer, the last one after the norm.
        for layer, state in enumerate(output.hidden_states[1:-1]):
            wanted[f"layer{layer}"] = state
        wanted["states"] = output.hidden_states[-1]

        greedy = [int(i) for i in ids[0]]
        scores = []
        with torch.no_grad():
            for _ in range(NEW):
                greedy.append(int(model(torch.tensor([greedy])).logits[0, -1].argmax()))
            prompt = [int(i) for i in ids[1]]
            for continuation in CONTINUATIONS:
                logs = model(torch.tensor([prompt + continuation])).logits[0].log_softmax(-1)
                scores += [logs[LENGTH - 1 + i, token] for i, token in enumerate(continuation)]
        wanted["continuationLogs"] = torch.stack(scores)

        saved = config.to_diff_dict() | {"architectures": [CLASSES[config.model_type].__name__]}
        saved.pop("dtype", None)
        facts = {
            "config": saved,
            "greedy": greedy[LENGTH:],
            "continuations": CONTINUATIONS,
            "shape": [BATCH, LENGTH],
            "madeWith": {"transformers": transformers.__version__},
        }
        save(HERE / "fixtures" / f"{name}.safetensors", wanted, facts, weights)
        print(name, loss.item(), greedy[LENGTH:])


if __name__ == "__main__":
    main()
