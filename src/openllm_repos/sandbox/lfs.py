"""Large files: the batch call that hands out links, and the links, for git-lfs and huggingface_hub alike."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from openllm_repos.sandbox.exchange import Answer, Refused, Request, say
from openllm_repos.sandbox.repository import Repo
from openllm_repos.sandbox.site import REALM, Site

_LFS = "application/vnd.git-lfs+json"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LINK = re.compile(r"/_lfs/(upload|download|verify|complete)/([0-9a-f]{64})/(\d+)(?:/(\d+))?")


def place(store: Path, sha256: str) -> Path:
    """Return where a store keeps (or would keep) an object."""
    return store / sha256[:2] / sha256[2:4] / sha256


def holds(store: Path, sha256: str) -> bool:
    """Return whether a store has an object."""
    return place(store, sha256).is_file()


@dataclass(frozen=True, slots=True)
class _Batch:
    site: Site
    operation: str
    multipart: bool

    def link(self, what: str, sha256: str, size: int, part: str = "") -> str:
        return f"{self.site.url}/_lfs/{what}/{sha256}/{size}{part}?signature={self.site.signature(what, sha256)}"

    def item(self, sha256: str, size: int) -> dict[str, Any]:
        item: dict[str, Any] = {"oid": sha256, "size": size}
        stored = holds(self.site.large_files, sha256)
        if self.operation == "download":
            if stored:
                link = self.link("download", sha256, size).replace(self.site.url, self.site.elsewhere, 1)
                item["actions"] = {"download": {"href": link, "header": {}, "expires_in": 900}}
            else:
                item["error"] = {"code": 404, "message": "Object does not exist"}
        elif not stored:
            verify = {"href": self.link("verify", sha256, size), "header": {}}
            item["actions"] = {"upload": self._upload(sha256, size), "verify": verify}
        return item

    def _upload(self, sha256: str, size: int) -> dict[str, Any]:
        part = self.site.part_size
        if not self.multipart or part is None or size <= part:
            return {"href": self.link("upload", sha256, size), "header": {}, "expires_in": 900}
        numbers = range(1, -(-size // part) + 1)
        links = {f"{number:05d}": self.link("upload", sha256, size, f"/{number}") for number in numbers}
        return {"href": self.link("complete", sha256, size), "header": {"chunk_size": str(part), **links}}


def batch(site: Site, request: Request, repo: Repo | None) -> Answer:
    """Hand out links for objects to upload or download.

    Raises:
        Refused: the repository is not there for this token (404), or it may not write (401, 403).
    """
    account = site.account(request)
    if repo is None or not site.may_see(account, repo, repo.facts()):
        raise Refused(404 if account else 401, "Repository not found", "RepoNotFound", headers=REALM)
    asked = request.fields()
    operation = str(asked.get("operation", "download"))
    if operation == "upload":
        if account is None:
            raise Refused(401, "Authentication required", headers={"LFS-Authenticate": 'Basic realm="hub"', **REALM})
        if not site.may_write(account, repo):
            raise Refused(403, "Authorization error: you need write access to this repository.")
    elif not site.may_read(account, repo, repo.facts()):
        raise Refused(403, "Access to this repository is restricted.", "GatedRepo")
    multipart = operation == "upload" and site.part_size is not None and "multipart" in asked.get("transfers", ())
    maker = _Batch(site, operation, multipart)
    wanted = [(str(one["oid"]), int(one["size"])) for one in asked.get("objects", ())]
    if not all(_SHA256.fullmatch(sha256) for sha256, _ in wanted):
        raise Refused(422, "An object id is not a SHA-256.")
    found = [maker.item(sha256, size) for sha256, size in wanted]
    transfer = "multipart" if multipart else "basic"
    return say({"transfer": transfer, "objects": found, "hash_algo": "sha256"}, kind=_LFS)


def refused(refusal: Refused, headers: Mapping[str, str]) -> Answer:
    """Return a refusal in the form of the LFS API, with the headers that huggingface_hub reads."""
    more = {"X-Error-Message": refusal.message, **({"X-Error-Code": refusal.code} if refusal.code else {})}
    return say({"message": refusal.message}, refusal.status, {**headers, **more}, kind=_LFS)


def locks(request: Request) -> Answer:
    """Answer the question for locks, which neither host keeps: git-lfs goes on without."""
    del request
    return say({"message": "Not found"}, 404, kind=_LFS)


def follow(site: Site, request: Request) -> Answer:
    """Serve one link that `batch` handed out.

    Raises:
        Refused: the link is not one of ours (403), what it names is not there (404), or the content is another (422).
    """
    found = _LINK.fullmatch(request.path)
    if found is None or request.asked("signature") != site.signature(found[1], found[2]):
        raise Refused(403, "This link is not valid.")
    what, sha256, size, part = found.groups()
    stored = place(site.large_files, sha256)
    parts = site.large_files / "parts" / sha256
    if what == "upload" and part is not None:
        parts.mkdir(parents=True, exist_ok=True)
        request.body.seek(0)
        with (parts / part).open("wb") as file:
            shutil.copyfileobj(request.body, file)
        return Answer(headers={"ETag": f'"{part}"'})
    if what == "upload":
        request.body.seek(0)
        return _store(site.large_files, sha256, request.body)
    if what == "complete":
        with tempfile.TemporaryFile() as whole:
            for piece in sorted(parts.iterdir(), key=lambda path: int(path.name)) if parts.is_dir() else []:
                whole.write(piece.read_bytes())
            whole.seek(0)
            answer = _store(site.large_files, sha256, whole)
        shutil.rmtree(parts)
        return answer
    if not stored.is_file() or (what == "verify" and stored.stat().st_size != int(size)):
        raise Refused(404, "Object does not exist")
    if what == "verify":
        return say({})
    return Answer(200, stored, {"Content-Type": "application/octet-stream", "ETag": f'"{sha256}"'})


def _store(store: Path, sha256: str, content: IO[bytes]) -> Answer:
    """Keep an object if its content is what its name says."""
    goal = place(store, sha256)
    goal.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=goal.parent, delete=False) as new:
        while block := content.read(1 << 20):
            digest.update(block)
            new.write(block)
    if digest.hexdigest() != sha256:
        os.unlink(new.name)
        raise Refused(422, "The content does not have the SHA-256 that it was announced with.")
    os.replace(new.name, goal)
    return say({})
