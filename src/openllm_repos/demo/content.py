"""What stands in the demo's files."""

from __future__ import annotations

from typing import Literal

MANIFEST = """\
schema = 1

[project]
name = "openllm"
version = "pyproject.toml"
never = ["data/", "tests/", "docs/", "exports/"]   # these never leave the source

[repos.main]
github = "louischua/openllm"
role = "source"

[repos.space]
space = "lemms/openllm"
owned = ["app.py", "requirements.txt", "README.md"] # only the Space writes these

[[repos.space.map]]
from = "core/src/*.py"
to = "training/"

[[repos.space.map]]
from = "configs/*.json"
to = "configs/"

[repos.small-extended-7k]
model = "lemms/openllm-small-extended-7k"

[repos.small-extended-8k]
model = "lemms/openllm-small-extended-8k"

[repos.training-data]
dataset = "lemms/openllm-training-data"
"""

PYPROJECT = '[project]\nname = "openllm"\nversion = "0.2.0"\n'

CONFIG = """\
{{
  "vocab_size": 32000,
  "n_layer": {layers},
  "n_head": {layers},
  "n_embd": {width}
}}
"""

MODEL = """\
\"\"\"The GPT-style model.\"\"\"


class GPTConfig:
    \"\"\"The size of a model.\"\"\"

    def __init__(self, vocab_size=32000, n_layer=6, n_head=8, n_embd=512):
        self.vocab_size = vocab_size
        self.n_layer = n_layer
        self.n_head = n_head
        self.n_embd = n_embd


def count_parameters(config):
    \"\"\"Return how many weights a model of this size has.\"\"\"
    return 12 * config.n_layer * config.n_embd**2 + config.vocab_size * config.n_embd
"""

DATA_LOADER = """\
\"\"\"Batches of tokens from a text file.\"\"\"


def batches(tokens, size):
    \"\"\"Yield lists of `size` tokens.\"\"\"
    for start in range(0, len(tokens), size):
        yield tokens[start : start + size]
"""

DATA_LOADER_CHECKED = DATA_LOADER.replace("    for start", "    assert size > 0\n    for start")

TRAIN = """\
\"\"\"Train a model.\"\"\"

from data_loader import batches
from model import GPTConfig, count_parameters


def main():
    \"\"\"Say what would be trained.\"\"\"
    print(count_parameters(GPTConfig()), "parameters", len(list(batches(range(100), 8))), "batches")
"""

QUANTIZATION = """\
\"\"\"Smaller weights.\"\"\"


def quantize(weights, bits=8):
    \"\"\"Return the weights as integers of so many bits.\"\"\"
    top = 2 ** (bits - 1) - 1
    return [round(weight * top) for weight in weights]
"""

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 16
"""A binary in ``docs/``: the Hub refuses every push whose history holds one."""

SPACE_CARD = "---\ntitle: OpenLLM\nsdk: gradio\nsdk_version: 5.31.0\napp_file: app.py\n---\n\nTry OpenLLM.\n"
SPACE_APP = 'import gradio as gr\n\ngr.Interface(lambda text: text, "text", "text").launch()\n'
SPACE_APP_EDITED = SPACE_APP.replace("lambda text: text", "lambda text: text.upper()")
SPACE_REQUIREMENTS = "gradio>=5.31.0\n"

CARDS: tuple[tuple[Literal["model", "dataset"], str, str], ...] = (
    ("model", "lemms/openllm-small-extended-7k", "---\nlicense: gpl-3.0\n---\n\nSmall, 7,000 steps.\n"),
    ("model", "lemms/openllm-small-extended-8k", "---\nlicense: gpl-3.0\n---\n\nSmall, 8,000 steps.\n"),
    ("dataset", "lemms/openllm-training-data", "---\nlicense: cc-by-sa-4.0\n---\n\nCleaned Wikipedia passages.\n"),
)
"""Model and dataset repositories, and their cards."""
