"""Two thousand strings that are hard for tokenizers; hard-strings.ts makes the same ones."""

import json
import re
from pathlib import Path

PARTS = json.loads((Path(__file__).parent / "fixtures" / "hard-parts.json").read_text())
COUNT = 2000
MASK = 0xFFFFFFFF


class Dice:
    """mulberry32"""

    def __init__(self, seed):
        self.state = seed & MASK

    def below(self, count):
        self.state = (self.state + 0x6D2B79F5) & MASK
        t = self.state
        t = ((t ^ (t >> 15)) * (t | 1)) & MASK
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & MASK)) & MASK
        return (t ^ (t >> 14)) % count

    def pick(self, values):
        return values[self.below(len(values))]

    def in_range(self, ranges):
        low, high = self.pick(ranges)
        return low + self.below(high - low + 1)


def times(count, make):
    return [point for _ in range(count) for point in make()]


def points(text):
    return [ord(character) for character in text]


def part(dice):
    kind = dice.below(12)
    if kind == 0:  # any code point of any plane, lone surrogates among them
        return times(1 + dice.below(8), lambda: [dice.below(17) * 0x10000 + dice.below(0x10000)])
    if kind == 1:  # one script
        script = [dice.pick(PARTS["scripts"])]
        return times(1 + dice.below(12), lambda: [dice.in_range(script)])
    if kind == 2:  # a pile of marks
        base = dice.in_range(PARTS["scripts"])
        return [base, *times(1 + dice.below(20), lambda: [dice.in_range(PARTS["marks"])])]
    if kind == 3:
        return times(1 + dice.below(3), lambda: points(dice.pick(PARTS["emoji"])))
    if kind == 4:  # a run of white space, and mixtures
        space = dice.pick(PARTS["spaces"])
        return times(1 + dice.below(40), lambda: [space])
    if kind == 5:
        text = dice.pick(PARTS["runs"])
        return times(1 + dice.below(80), lambda: points(text))
    if kind == 6:
        return points(dice.pick(PARTS["special"]))
    if kind == 7:
        return times(1 + dice.below(3), lambda: [0xD800 + dice.below(0x800)])
    if kind == 8:
        return times(1 + dice.below(4), lambda: [dice.in_range(PARTS["controls"])])
    if kind == 9:
        return times(1 + dice.below(5), lambda: points(dice.pick(PARTS["words"]) + dice.pick([" ", "", ", ", "\n"])))
    if kind == 10:
        digits = [dice.pick(PARTS["digits"])]
        return times(1 + dice.below(9), lambda: [dice.in_range(digits)])
    return times(1 + dice.below(10), lambda: [33 + dice.below(94)])


def hard_strings():
    """Well-formed texts: halves of surrogate pairs stand as U+FFFD, as an encoder of UTF-8 writes them."""
    dice = Dice(PARTS["seed"])
    texts = list(PARTS["fixed"])
    while len(texts) < COUNT:
        characters = "".join(chr(point) for point in times(1 + dice.below(6), lambda: part(dice)))
        paired = characters.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        texts.append(re.sub("[\ud800-\udfff]", "\ufffd", paired))
    return texts


def hard_ids(vocab_size):
    """Lists of ids at random, without the special tokens at the beginning of a vocabulary."""
    dice = Dice(PARTS["seed"] + 1)
    return [[32 + dice.below(max(1, vocab_size - 32)) for _ in range(1 + dice.below(12))] for _ in range(500)]
