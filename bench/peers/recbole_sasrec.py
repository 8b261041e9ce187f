"""RecBole's SASRec, told what to do line by line.

One JSON object per line comes in, one goes out:

    {"do": "start", "sequences": FILE, "folder": FOLDER, "settings": {...}}   trains on all but each user's last two items
    {"do": "epoch"}                       -> {"seconds": ..., "loss": ...}    RecBole's own Trainer._train_epoch
    {"do": "scores", "histories": FILE, "out": FILE}                          scores of all items after each history

Scores are written as float32, row by row, in the order of the items' numbers in SEQUENCES; an item that RecBole
never saw gets -inf.
"""

import json
import logging
import os
import sys
import time

# RecBole 1.2.1 names types that newer versions of NumPy have dropped.
import numpy as np

GONE = {
    "float": float,
    "int": int,
    "bool": bool,
    "object": object,
    "long": np.int64,
    "float_": np.float64,
    "complex_": np.complex128,
    "unicode_": np.str_,
    "NaN": np.nan,
}
for name, kind in GONE.items():
    if name not in np.__dict__:
        setattr(np, name, kind)

import torch
import recbole
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.model.sequential_recommender import SASRec
from recbole.trainer import Trainer
from recbole.utils import init_seed


class Peer:
    def start(self, sequences, folder, settings):
        rows = [json.loads(line) for line in open(sequences, encoding="utf8")]
        os.makedirs(os.path.join(folder, "bench"), exist_ok=True)
        with open(os.path.join(folder, "bench", "bench.inter"), "w", encoding="utf8") as file:
            file.write("user_id:token\titem_id:token\ttimestamp:float\n")
            for user, items in enumerate(rows):
                for place, item in enumerate(items):
                    file.write(f"u{user}\ti{item}\t{place}\n")
        config = Config(
            model="SASRec",
            dataset="bench",
            config_dict={
                "data_path": folder,
                "checkpoint_dir": folder,
                "use_gpu": False,
                "show_progress": False,
                "state": "ERROR",
                "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
                "train_neg_sample_args": None,
                "loss_type": "CE",
                "eval_args": {
                    "split": {"LS": "valid_and_test"},
                    "group_by": "user",
                    "order": "TO",
                    "mode": "full",
                },
                **settings,
            },
        )
        init_seed(config["seed"], config["reproducibility"])
        dataset = create_dataset(config)
        self.train_data, _, _ = data_preparation(config, dataset)
        self.model = SASRec(config, self.train_data.dataset)
        self.trainer = Trainer(config, self.model)
        self.epochs = 0
        numbers = dataset.field2token_id["item_id"]
        self.number_of = {int(token[1:]): number for token, number in numbers.items() if token != "[PAD]"}
        return {
            "rows": len(self.train_data.dataset),
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "threads": torch.get_num_threads(),
            "versions": {
                "recbole": recbole.__version__,
                "torch": torch.__version__,
                "numpy": np.__version__,
                "python": sys.version.split()[0],
            },
        }

    def epoch(self):
        started = time.perf_counter()
        loss = self.trainer._train_epoch(self.train_data, self.epochs)
        self.epochs += 1
        return {"seconds": time.perf_counter() - started, "loss": loss}

    def scores(self, histories, out):
        rows = [json.loads(line) for line in open(histories, encoding="utf8")]
        length = self.model.max_seq_length
        catalog = max(max(self.number_of), max(max(row) for row in rows)) + 1
        items = torch.zeros(len(rows), length, dtype=torch.long)
        lengths = torch.zeros(len(rows), dtype=torch.long)
        for b, row in enumerate(rows):
            row = [self.number_of.get(item, 0) for item in row[-length:]]
            items[b, : len(row)] = torch.tensor(row)
            lengths[b] = len(row)
        order = torch.tensor([self.number_of.get(item, 0) for item in range(catalog)])
        self.model.eval()
        with torch.no_grad():
            states = self.model.forward(items, lengths)
            all_scores = states @ self.model.item_embedding.weight.T
            scores = all_scores[:, order]
            scores[:, order == 0] = float("-inf")
        scores.numpy().astype("<f4").tofile(out)
        return {"catalog": catalog}


def main():
    # RecBole writes to stdout too: what is said here must stay alone.
    said = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    logging.disable(logging.INFO)
    peer = Peer()
    said.write('{"ready": true}\n')
    said.flush()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(peer, request.pop("do"))(**request)
        except Exception as error:  # the caller must hear of it, whatever it is
            answer = {"error": f"{type(error).__name__}: {error}"}
        said.write(json.dumps(answer) + "\n")
        said.flush()


main()
