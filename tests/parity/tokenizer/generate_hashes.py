"""Writes hashes of what the reference tokenizers make of hard strings and of every title of three datasets.

    venv/bin/pip install -r requirements.txt
    venv/bin/python generate_hashes.py path/to/SmolLM2-135M-Instruct.Q4_1.gguf path/to/data [--show LIST BLOCK]

fixtures/llama/: a SentencePiece BPE model with byte fallback, trained here, as the tokenizer.json that the
converter of transformers makes for Llama 2, and its scores for GGUF metadata.
fixtures/hashes.json: for every list of texts and every tokenizer the sha256 over (text, ids, decoded text),
and one short hash per block; for ids at random that over (ids, decoded text). Titles may not be published, so only hashes stand there; `--show hard 17` prints
the texts and ids of a block, to be compared with ours.
"""

import hashlib
import io
import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import sentencepiece
from gguf import GGUFReader
from hard_strings import PARTS, hard_ids, hard_strings
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import LlamaTokenizer
from transformers.convert_slow_tokenizer import LlamaConverter, generate_merges

HERE = Path(__file__).parent
CORPUS = (HERE.parent / "smollm2" / "text.txt").read_text()
BLOCK = {"hard": 10, "movielens": 50, "lastfm": 50, "steam": 50, "ids": 25}


def smollm2(path):
    """The published tokenizer.json of SmolLM2, made of the GGUF file's vocabulary: Digits, then ByteLevel."""
    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([token for token, kind in zip(tokens, types) if kind == 3])
    tokenizer.encode_special_tokens = True
    return tokenizer


def train_sentence_piece():
    """Settings of Llama 2, on a text of many scripts made here."""
    words = [word for word in PARTS["words"] if word.strip() and "\u2581" not in word]
    letters = ["".join(chr(low + (7 * i) % (high - low + 1)) for i in range(24)) for low, high in PARTS["scripts"][:9]]
    lines = CORPUS.split("\n") + [" ".join(words[i:] + words[:i]) for i in range(len(words))] + letters
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type="bpe", vocab_size=1200, byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True,
        allow_whitespace_only_pieces=True, character_coverage=0.99, minloglevel=2, num_threads=1,
    )
    return model.getvalue()


class ScoredMerges:
    """How transformers 4 read merges for the converter of Llama; version 5 left the converter without it."""

    def __init__(self, path):
        self.processor = sentencepiece.SentencePieceProcessor(model_file=path)

    def extract(self, scores):
        vocab = {self.processor.id_to_piece(i): i for i in range(self.processor.get_piece_size())}
        return vocab, generate_merges(vocab, scores)


class Converter(LlamaConverter):
    SpmExtractor = ScoredMerges


def llama(model):
    """The fast tokenizer of Llama 2, by the converter of transformers, and sentencepiece itself."""
    with tempfile.NamedTemporaryFile(suffix=".model") as file:
        file.write(model)
        file.flush()
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        slow = SimpleNamespace(vocab_file=file.name, convert_ids_to_tokens=processor.id_to_piece, legacy=True,
                               add_prefix_space=True)
        fast = Converter(slow).converted()
    fast.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in ("<unk>", "<s>", "</s>")])
    fast.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", processor.bos_id())]
    )
    fast.encode_special_tokens = True
    return fast, processor


def newer_llama(fast):
    """What transformers 5 makes of the same vocabulary: Metaspace in place of the two normalizers."""
    model = json.loads(fast.to_str())["model"]
    made = LlamaTokenizer(vocab=model["vocab"], merges=[tuple(merge) for merge in model["merges"]])._tokenizer
    made.encode_special_tokens = True
    return made


def fast_ways(tokenizer):
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    decode = lambda ids: tokenizer.decode(ids, skip_special_tokens=False)
    return encode, decode


def piece_ways(processor, fast):
    """sentencepiece itself; it ends a text at NUL, where the fast tokenizer speaks for it."""
    encode = lambda text: fast.encode(text, add_special_tokens=False).ids if "\0" in text else processor.encode(text)
    return encode, lambda ids: fast.decode(ids, skip_special_tokens=False)


def titles(folder):
    lines = (Path(folder) / "items.tsv").read_text(encoding="utf-8").rstrip("\n").split("\n")
    return [line.split("\t")[1] for line in lines[1:]]


def of_texts(texts, ways):
    """One record per text: the text, its ids, what they decode to; and whether that is the text."""
    encode, decode = ways
    for text in texts:
        ids = encode(text)
        decoded = decode(ids)
        yield f"{text}\0{','.join(map(str, ids))}\0{decoded}\n", decoded == text


def of_ids(vocab_size, ways):
    """Ids that no text would give, as a model may write them; hard-strings.ts makes the same ones."""
    for ids in hard_ids(vocab_size):
        yield f"{','.join(map(str, ids))}\0{ways[1](ids)}\n", False


def hashes(records, size):
    records = list(records)
    sha256 = lambda part: hashlib.sha256("".join(record for record, _ in part).encode()).hexdigest()
    blocks = [sha256(records[start : start + size])[:12] for start in range(0, len(records), size)]
    return {"sha256": sha256(records), "roundTrips": sum(same for _, same in records), "blocks": " ".join(blocks)}


def main(gguf, data, *show):
    fast, processor = llama(train_sentence_piece())
    ways = {
        "smollm2": fast_ways(smollm2(gguf)),
        "llama": fast_ways(fast),
        "llama-metaspace": fast_ways(newer_llama(fast)),
        "llama-gguf": piece_ways(processor, fast),
    }
    lists = {"hard": hard_strings(), **{name: titles(Path(data) / name) for name in ("movielens", "lastfm", "steam")}}
    if show:
        _, name, block = show
        size = BLOCK[name]
        for text in lists[name][int(block) * size :][:size]:
            print(json.dumps([text, {key: encode(text) for key, (encode, _) in ways.items()}]))
        return
    (HERE / "fixtures" / "llama").mkdir(exist_ok=True)
    (HERE / "fixtures" / "llama" / "tokenizer.json").write_text(
        json.dumps(json.loads(fast.to_str()), ensure_ascii=True, separators=(",", ":")).replace('],["', '],\n["') + "\n"
    )
    kinds = [2 if processor.is_unknown(i) else 3 if processor.is_control(i) else 6 if processor.is_byte(i) else 1
             for i in range(processor.get_piece_size())]
    (HERE / "fixtures" / "llama" / "gguf.json").write_text(json.dumps({
        "scores": [processor.get_score(i) for i in range(len(kinds))], "types": kinds}, separators=(",", ":")) + "\n")
    made = {
        name: {"count": len(texts), "block": BLOCK[name],
               "tokenizers": {key: hashes(of_texts(texts, way), BLOCK[name]) for key, way in ways.items()}}
        for name, texts in lists.items()
    }
    made["ids"] = {"count": len(hard_ids(1)), "block": BLOCK["ids"], "tokenizers": {
        key: hashes(of_ids(49152 if key == "smollm2" else len(kinds), way), BLOCK["ids"]) for key, way in ways.items()
    }}
    (HERE / "fixtures" / "hashes.json").write_text(json.dumps(made, indent=1) + "\n")
    for name, entry in made.items():
        print(name, entry["count"], {key: value["roundTrips"] for key, value in entry["tokenizers"].items()})
    differ = sum(ways["llama"][0](text) != ways["llama-gguf"][0](text) for text in sum(lists.values(), []))
    print("sentencepiece and the fast tokenizer differ on", differ)


if __name__ == "__main__":
    main(*sys.argv[1:])
