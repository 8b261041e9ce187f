"""Writes the tokenizer fixtures: ids of the Rust library `tokenizers` and of sentencepiece.

    venv/bin/pip install -r requirements.txt
    venv/bin/python generate.py path/to/SmolLM2-135M-Instruct.Q4_1.gguf

smollm2.json: ids of the model's own vocabulary; needs the GGUF file to be compared with.
bpe.json: a byte-level BPE trained here, its tokenizer.json and its ids under several pre-tokenizers.
sentencepiece.json: a SentencePiece model trained here, as GGUF metadata and as Llama-2 tokenizer.json.
"""

import io
import json
import re
import sys
from pathlib import Path

import sentencepiece
from gguf import GGUFReader
from strings import all_strings
from tokenizers import (
    AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers,
)

HERE = Path(__file__).parent
CORPUS = (HERE.parent / "smollm2" / "text.txt").read_text()
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
split = lambda pattern: pre_tokenizers.Split(Regex(pattern), "isolated")
PRE = {
    "gpt-2": [split(GPT2)],
    "smollm": [split(r"\p{N}"), split(GPT2)],
    "llama-bpe": [split(LLAMA3)],
    "qwen2": [split(LLAMA3.replace("{1,3}", ""))],
    "default": [split(r"[\p{P}\$\+<=>\^~\|]+"), split(GPT2), split(r"\p{N}+"), split("[0-9][0-9][0-9]")],
}


def write(name, value):
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    text = re.sub(r'(?<=[\]}]),(?=\[")', ",\n", text)
    (HERE / "fixtures" / name).write_text(text + "\n")


def with_pre(vocab, merges, parts, **settings):
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, **settings))
    tail = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*parts, tail])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def smollm2(path, strings):
    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    vocab = {token: i for i, token in enumerate(tokens)}
    # The published tokenizer.json: Digits, then ByteLevel with its own pattern.
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, [[s, tokenizer.encode(s).ids] for s in strings]


def bpe(strings):
    trainer = trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
    )
    trained = with_pre({}, [], PRE["gpt-2"])
    trained.train_from_iterator([CORPUS], trainer)
    model = json.loads(trained.to_str())["model"]
    vocab, merges = model["vocab"], [tuple(m) for m in model["merges"]]
    # As in Llama 3: a word that is a token though no merges lead to it.
    vocab["\u0120Tranquilly"] = len(vocab)
    cases = {}
    for name, parts in PRE.items():
        tokenizer = with_pre(vocab, merges, parts, ignore_merges=name == "llama-bpe")
        cases[name] = [tokenizer.encode(s).ids for s in strings]
    published = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    published.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    published.decoder = decoders.ByteLevel()
    published.post_processor = processors.TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", vocab["<|im_start|>"])]
    )
    published.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    published.encode_special_tokens = True
    published_ids = [published.encode(s, add_special_tokens=False).ids for s in strings]
    assert sorted(vocab.values()) == list(range(len(vocab)))
    tokens = sorted(vocab, key=vocab.get)
    return {
        "strings": strings, "tokens": tokens, "merges": [" ".join(m) for m in merges], "ids": cases,
        "tokenizerJson": json.loads(published.to_str()), "publishedIds": published_ids,
    }


def sentence_piece(strings):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS.split("\n")), model_writer=model, model_type="bpe", vocab_size=600,
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
        split_digits=True, allow_whitespace_only_pieces=True, minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    size = processor.get_piece_size()
    kind = lambda i: (
        2 if processor.is_unknown(i) else 3 if processor.is_control(i) else 6 if processor.is_byte(i) else 1
    )
    tokens = [processor.id_to_piece(i) for i in range(size)]
    strings = [s for s in strings if "\x00" not in s]  # sentencepiece ends a text at NUL
    ids = [processor.encode(s) for s in strings]
    # The way of Llama 2's tokenizer.json.
    normal = {t: i for i, t in enumerate(tokens) if kind(i) == 1}
    merges = []
    for token, i in normal.items():
        for cut in range(1, len(token)):
            left, right = token[:cut], token[cut:]
            if left in normal and right in normal:
                merges.append((-processor.get_score(i), normal[left], normal[right], left, right))
    merges = [(left, right) for *_, left, right in sorted(merges)]
    vocab = {t: i for i, t in enumerate(tokens)}
    fast = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    fast.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    fast.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    fast.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", vocab["<s>"])]
    )
    fast.add_special_tokens([AddedToken(t, normalized=False) for t in ("<unk>", "<s>", "</s>")])
    fast.encode_special_tokens = True
    fast_ids = [fast.encode(s, add_special_tokens=False).ids for s in strings]
    print("sentencepiece and tokenizers differ on", sum(a != b for a, b in zip(ids, fast_ids)), "of", len(ids))
    return {
        "strings": strings, "tokens": tokens, "types": [kind(i) for i in range(size)],
        "scores": [processor.get_score(i) for i in range(size)], "ids": ids,
        "tokenizerJson": json.loads(fast.to_str()), "fastIds": fast_ids,
    }


def main(path, titles=None):
    strings = all_strings()
    tokenizer, pairs = smollm2(path, strings)
    write("smollm2.json", pairs)
    write("bpe.json", bpe(strings))
    write("sentencepiece.json", sentence_piece(strings))
    if titles:  # a local check on texts that may not be published: one per line in, ids out
        lines = Path(titles).read_text().split("\n")
        Path(titles + ".ids.json").write_text(json.dumps([[s, tokenizer.encode(s).ids] for s in lines]))


if __name__ == "__main__":
    main(*sys.argv[1:])
