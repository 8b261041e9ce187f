"""Weights of tiny Llamas by Hugging Face key without the leading `model.`."""

from math import sqrt


def make_weights(weights, shapes, embedding_spread=0.05):
    """Wide enough that every layer matters; embeddings small enough that the norms' epsilon does."""
    made = {}
    for name, shape in shapes.items():
        if name.endswith("norm.weight"):
            made[name] = weights.make(name, shape, center=1.0, spread=0.3)
        elif name == "embed_tokens.weight":
            made[name] = weights.make(name, shape, spread=embedding_spread)
        elif name.endswith(".bias"):
            made[name] = weights.make(name, shape, spread=0.5)
        else:
            made[name] = weights.make(name, shape, spread=2.5 / sqrt(shape[-1]))
    return made


def load_into(model, weights, **options):
    """Overwrites all weights of a causal language model of transformers."""
    tied = model.config.tie_word_embeddings
    shapes = {
        key.removeprefix("model."): tuple(tensor.shape)
        for key, tensor in model.state_dict().items()
        if not (tied and key == "lm_head.weight")
    }
    made = make_weights(weights, shapes, **options)
    state = model.state_dict()
    for key, tensor in state.items():
        short = key.removeprefix("model.")
        tensor.copy_(made["embed_tokens.weight" if tied and key == "lm_head.weight" else short])
