"""Strings on which tokenizers differ, and ordinary ones; seeded, so every run gives the same list."""

import random

FIXED = [
    "", " ", "  ", "   a", "a ", "\n", "\n\n", " \n ", "\t", "\r\n", "a\r\nb", "\u00a0", "a\u00a0b", "\u3000",
    "\ufeff", "a\ufeffb", "\u0085", "a\u0085b", "\u200b", "\u2028x", "x\u2029", "\x00", "\x1c", "\x1ca", "\x7f", "\u180e",
    "Hello world", "Hello, world!", "hello  world", "I'm you're he's we'll they'd I've can't", "I'M YOU'RE",
    "don\u2019t", "'tis", "''s", "'\u017f", "'S 's", "o'clock", "0", "1", "12", "123", "1234", "12345", "1,234.56",
    "2001: A Space", "Se7en", "(1994)", "10 000", "\u0661\u0662\u0663", "\u00bd cup", "x\u00b2 + y\u00b3", "\u2167",
    "\uff11\uff12", "\u0967\u0968", "caf\u00e9", "cafe\u0301", "na\u00efve", "\u00dcber", "stra\u00dfe", "\u0130stanbul",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002", "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8", "\ud55c\uad6d\uc5b4", "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!", "\u0645\u0631\u062d\u0628\u0627", "\u05e9\u05dc\u05d5\u05dd",
    "\u0939\u093f\u0928\u094d\u0926\u0940", "\u0e44\u0e17\u0e22", "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\u270a\U0001f3fd", "\U0001d400",
    "\ufffd", "\u2581", "a\u2581b", "\u0120the", "\u010a", "<0x0A>", "<0x41>", "<unk>", "<s>", "</s>",
    "<|im_end|>", "<|im_start|>system", "<|endoftext|>", "a<|im_end|>b", "<|im_end|><|im_end|>", "<repo_name>",
    "<|eot_id|>", "<|begin_of_text|>", "[INST] hi [/INST]", "<<SYS>>", "{{ title }}", "<script>alert(1)</script>",
    "__proto__", "constructor", "toString", "a" * 300, "ab" * 150, "!" * 70, " " * 40, "\n" * 9, "-" * 33 + ">",
    "https://example.org/a?b=c&d=%20#e", "C:\\path\\file.txt", "$\\frac{1}{2}$", "snake_case camelCase kebab-case",
    "def f(x):\n\treturn x ** 2  # square\n", "    indented\n        twice", "trailing   ", "...", "\u2026", "\u2014", "\u201cquoted\u201d",
    "1.5e-10", "0x1F", "3\u00d74", "\u20ac9.99", "$5", "50%", "#1", "@home", "A&B", "x^2", "a+b=c", "~tilde~", "`tick`", "|pipe|",
    "The quick brown fox jumps over the lazy dog.", "We the People of the United States",
]
WORDS = (
    "the a of and to in film Night day love War II The's re-made it's 1999 (2001) Café no. 7 & vs. — über 100% "
    "Mr. don't ALL CAPS x2 Ω 東京 привет 🎬 end. , ; : \"quoted\" 'single' 3D 007 \t \n  <|im_end|> 12345678 "
    "long-hyphen_word ½ été ß"
).split(" ")


def all_strings():
    rng = random.Random(20240607)
    strings = list(FIXED)
    for _ in range(120):
        strings.append(" ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 14))))
    planes = [(32, 126), (160, 591), (880, 1279), (1536, 1791), (0x900, 0x97F), (0x4E00, 0x4FFF), (0x1F300, 0x1F6FF), (9, 13)]
    for _ in range(60):
        chars = []
        for _ in range(rng.randint(1, 30)):
            low, high = rng.choice(planes)
            chars.append(chr(rng.randint(low, high)))
        strings.append("".join(chars))
    return strings
