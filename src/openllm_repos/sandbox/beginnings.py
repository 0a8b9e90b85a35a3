"""The first commit that the Hub makes in a new repository, byte for byte where that is known."""

from __future__ import annotations

from openllm_repos.sandbox.repository import Kind

_FIRST = "7z arrow bin bz2 ckpt ftz gz h5 joblib lfs.*"
_ONLY_DATASETS = " lz4 mds"
_NEXT = " mlmodel model msgpack npy npz onnx ot parquet pb pickle pkl pt pth rar safetensors"
_LAST = "tar.* tar tflite tgz wasm xz zip zst"
_MEDIA = {
    "Audio files - uncompressed": "pcm sam raw",
    "Audio files - compressed": "aac flac mp3 ogg wav",
    "Image files - uncompressed": "bmp gif png tiff",
    "Image files - compressed": "jpg jpeg webp",
    "Video files - compressed": "mp4 webm",
}
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
    files = {".gitattributes": _attributes(kind).encode()}
    if kind is Kind.SPACE:
        card = _SPACE_README.format(title=name.title(), sdk=sdk, lines=_SDK_LINES.get(sdk, ""))
        files["README.md"] = card.encode()
    return files


def _attributes(kind: Kind) -> str:
    """Return what goes through LFS: blob a6344aac for models and Spaces, 1ef325f1 for datasets."""
    datasets = kind is Kind.DATASET
    text = _tracked(_FIRST + (_ONLY_DATASETS if datasets else "") + _NEXT) + _line("saved_model/**/*")
    text += _tracked(_LAST) + _line("*tfevents*")
    if datasets:
        text += "".join(f"# {title}\n{_tracked(endings)}" for title, endings in _MEDIA.items())
    return text


def _tracked(endings: str) -> str:
    return "".join(_line(f"*.{ending}") for ending in endings.split())


def _line(pattern: str) -> str:
    return f"{pattern} filter=lfs diff=lfs merge=lfs -text\n"
