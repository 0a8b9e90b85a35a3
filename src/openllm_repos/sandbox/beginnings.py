"""The first commit that the Hub makes in a new repository, byte for byte where that is known."""

from __future__ import annotations

from openllm_repos.sandbox.repository import Kind

_BEFORE = (
    "7z arrow bin bz2 ckpt ftz gz h5 joblib lfs.* mlmodel model msgpack npy npz onnx ot parquet pb pickle pkl pt pth"
)
_AFTER = "tar.* tar tflite tgz wasm xz zip zst"
_PATTERNS = [
    *(f"*.{ending}" for ending in f"{_BEFORE} rar safetensors".split()),
    "saved_model/**/*",
    *(f"*.{ending}" for ending in _AFTER.split()),
    "*tfevents*",
]
GITATTRIBUTES = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in _PATTERNS)
_SDK_LINES = {"gradio": "sdk_version: 5.49.1\napp_file: app.py\n", "docker": "app_port: 7860\n"}
_SPACE_README = """\
---
title: {title}
emoji: \N{ROCKET}
colorFrom: blue
colorTo: purple
sdk: {sdk}
{lines}pinned: false
---

Check out the configuration reference at https://huggingface.co/docs/hub/spaces-config-reference
"""


def first_files(kind: Kind, name: str, sdk: str) -> dict[str, bytes]:
    """Return path -> bytes of the files of a new repository: ``.gitattributes``, and a Space's README."""
    files = {".gitattributes": GITATTRIBUTES.encode()}
    if kind is Kind.SPACE:
        card = _SPACE_README.format(title=name.title(), sdk=sdk, lines=_SDK_LINES.get(sdk, ""))
        files["README.md"] = card.encode()
    return files
