"""GitHub's REST API as far as releases need it: refs, rulesets, releases, pull requests. Below ``/api/v3``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from openllm_repos.sandbox.exchange import Answer, Refused, Request, say
from openllm_repos.sandbox.github import GitHub
from openllm_repos.sandbox.refusals import Update, broken_rules
from openllm_repos.sandbox.repository import ZERO, Repo, now
from openllm_repos.sandbox.tokens import Account

_PATH = re.compile(r"/api/v3/repos/([\w.-]+)/([\w.-]+)(?:/(.*))?")
_FORBIDDEN = "Resource not accessible by personal access token"


@dataclass(frozen=True, slots=True)
class _Call:
    github: GitHub
    request: Request
    repo: Repo
    account: Account | None
    rest: str

    def after(self, prefix: str) -> str:
        return unquote(self.rest.removeprefix(prefix))

    @property
    def url(self) -> str:
        return f"{self.github.url}/{self.repo.id}"


def answer(github: GitHub, request: Request) -> Answer:
    """Answer a call; a refusal is JSON of GitHub's form."""
    try:
        return _route(github, request)
    except Refused as refusal:
        said = {"message": refusal.message, "status": str(refusal.status), **(refusal.body or {})}
        return say(said, refusal.status, refusal.headers)


def _route(github: GitHub, request: Request) -> Answer:
    account = _account(github, request)
    if (request.method, request.path) == ("GET", "/api/v3/user"):
        if account is None:
            raise Refused(401, "Requires authentication")
        return say({"login": account.user}, headers={"X-OAuth-Scopes": "repo" if account.role == "write" else ""})
    found = _PATH.fullmatch(request.path)
    repo = None if found is None else github.find(github.kinds[0], found[1], found[2])
    if found is None or repo is None or not github.may_see(account, repo, repo.facts()):
        raise Refused(404, "Not Found")
    if request.method not in {"GET", "HEAD"} and not github.may_write(account, repo):
        raise Refused(403 if account else 401, _FORBIDDEN if account else "Requires authentication")
    call = _Call(github, request, repo, account, found[3] or "")
    for (method, pattern), handler in _CALLS.items():
        if method == request.method and re.fullmatch(pattern, call.rest):
            return handler(call)
    raise Refused(501, f"The sandbox does not serve {request.method} {request.path}")


def _account(github: GitHub, request: Request) -> Account | None:
    try:
        return github.account(request)
    except Refused:
        raise Refused(401, "Bad credentials") from None


def _describe(call: _Call) -> Answer:
    rights = {"admin": False, "push": call.github.may_write(call.account, call.repo), "pull": True}
    private = call.repo.facts().private
    described = {"full_name": call.repo.id, "private": private, "default_branch": "main", "html_url": call.url}
    return say({**described, **({"permissions": rights} if call.account else {})})


# ---- refs ------------------------------------------------------------------------------------------------------------


def _get_ref(call: _Call) -> Answer:
    ref = f"refs/{call.after('git/ref/')}"
    oid = call.repo.object_at(ref)
    if oid is None:
        raise Refused(404, "Not Found")
    return say(_ref(ref, oid, call.repo.text("cat-file", "-t", oid)))


def _matching_refs(call: _Call) -> Answer:
    prefix = f"refs/{call.after('git/matching-refs/')}"
    lines = call.repo.text("for-each-ref", "--format=%(refname) %(objectname) %(objecttype)").splitlines()
    rows = [line.split() for line in lines]
    return say([_ref(*row) for row in rows if row[0].startswith(prefix)])


def _ref(ref: str, oid: str, kind: str) -> dict[str, Any]:
    return {"ref": ref, "object": {"sha": oid, "type": kind}}


def _create_ref(call: _Call) -> Answer:
    asked = call.request.fields()
    ref, oid = str(asked.get("ref", "")), str(asked.get("sha", ""))
    _obey(call, Update(ZERO, oid, ref))
    if call.repo.object_at(ref) is not None:
        raise Refused(422, "Reference already exists")
    if not call.repo.update(f"create {ref} {oid}"):
        raise Refused(422, "Object does not exist")
    return say(_ref(ref, oid, "commit"), 201)


def _update_ref(call: _Call) -> Answer:
    asked = call.request.fields()
    ref, new = f"refs/{call.after('git/refs/')}", str(asked.get("sha", ""))
    old = call.repo.object_at(ref)
    if old is None:
        raise Refused(422, "Reference does not exist")
    update = Update(old, new, ref)
    _obey(call, update)
    if not asked.get("force") and not _forwards(call.repo, update):
        raise Refused(422, "Update is not a fast forward")
    if not call.repo.update(f"update {ref} {new} {old}"):
        raise Refused(422, "Object does not exist")
    return say(_ref(ref, new, "commit"))


def _delete_ref(call: _Call) -> Answer:
    ref = f"refs/{call.after('git/refs/')}"
    old = call.repo.object_at(ref)
    if old is None:
        raise Refused(422, "Reference does not exist")
    _obey(call, Update(old, ZERO, ref))
    call.repo.update(f"delete {ref} {old}")
    return Answer(204)


def _obey(call: _Call, update: Update) -> None:
    """Raise Refused where a change of a ref breaks a rule of the repository (422)."""
    broken = broken_rules(call.repo.facts().rules, update, lambda one: _forwards(call.repo, one))
    if broken:
        raise Refused(422, "Repository rule violations found\n\n" + "\n\n".join(broken))


def _forwards(repo: Repo, update: Update) -> bool:
    return repo.ask("merge-base", "--is-ancestor", update.old, update.new)[0] == 0


def _rules(call: _Call) -> Answer:
    ref = f"refs/heads/{call.after('rules/branches/')}"
    found = [kind for rule in call.repo.facts().rules if fnmatchcase(ref, rule["ref"]) for kind in rule["rules"]]
    return say([{"type": kind} for kind in found])


def _rulesets(call: _Call) -> Answer:
    found = []
    for number, rule in enumerate(call.repo.facts().rules, 1):
        target = "tag" if rule["ref"].startswith("refs/tags/") else "branch"
        found.append(
            {
                "id": number,
                "name": rule["ref"],
                "target": target,
                "enforcement": "active",
                "conditions": {"ref_name": {"include": [rule["ref"]], "exclude": []}},
                "rules": [{"type": kind} for kind in rule["rules"]],
            }
        )
    return say(found)


# ---- releases --------------------------------------------------------------------------------------------------------


def _releases(call: _Call) -> Answer:
    releases = call.repo.facts().releases
    return say(
        [one for one in reversed(releases) if not one["draft"] or call.github.may_write(call.account, call.repo)]
    )


def _release_by_tag(call: _Call) -> Answer:
    tag = call.after("releases/tags/")
    for one in call.repo.facts().releases:
        if one["tag_name"] == tag and not one["draft"]:
            return say(one)
    raise Refused(404, "Not Found")


def _create_release(call: _Call) -> Answer:
    asked = call.request.fields()
    tag = str(asked.get("tag_name", ""))
    with call.github.lock:
        facts = call.repo.facts()
        if any(one["tag_name"] == tag and not one["draft"] for one in facts.releases):
            errors = [{"resource": "Release", "code": "already_exists", "field": "tag_name"}]
            raise Refused(422, "Validation Failed", body={"errors": errors})
        number = 1 + max((one["id"] for one in facts.releases), default=0)
        made = {
            "id": number,
            "tag_name": tag,
            "target_commitish": asked.get("target_commitish") or "main",
            "name": asked.get("name") or tag,
            "body": asked.get("body") or "",
            "draft": bool(asked.get("draft")),
            "prerelease": bool(asked.get("prerelease")),
            "created_at": now(),
            "html_url": f"{call.url}/releases/tag/{tag}",
            "url": f"{call.github.url}/api/v3/repos/{call.repo.id}/releases/{number}",
        }
        _publish(call, made)
        facts.releases = [*facts.releases, made]
        call.repo.save(facts)
    return say(made, 201)


def _publish(call: _Call, release: dict[str, Any]) -> None:
    """Give a release that is no draft its tag, if there is none yet."""
    ref = f"refs/tags/{release['tag_name']}"
    if release["draft"] or call.repo.object_at(ref) is not None:
        return
    commit = call.repo.find_revision(release["target_commitish"])
    if commit is None or not call.repo.update(f"create {ref} {commit}"):
        errors = [{"resource": "Release", "code": "custom", "field": "target_commitish"}]
        raise Refused(422, "Validation Failed", body={"errors": errors})


def _change_release(call: _Call) -> Answer:
    with call.github.lock:
        facts = call.repo.facts()
        release = _numbered(facts.releases, call.after("releases/"))
        asked = call.request.fields()
        release |= {key: asked[key] for key in ("name", "body", "draft", "prerelease", "tag_name") if key in asked}
        _publish(call, release)
        call.repo.save(facts)
    return say(release)


def _delete_release(call: _Call) -> Answer:
    with call.github.lock:
        facts = call.repo.facts()
        facts.releases.remove(_numbered(facts.releases, call.after("releases/")))
        call.repo.save(facts)
    return Answer(204)


def _numbered(items: list[dict[str, Any]], number: str) -> dict[str, Any]:
    for one in items:
        if str(one.get("id", one.get("number"))) == number:
            return one
    raise Refused(404, "Not Found")


# ---- pull requests ---------------------------------------------------------------------------------------------------


def _pulls(call: _Call) -> Answer:
    return say(list(reversed(call.repo.facts().pulls)))


def _create_pull(call: _Call) -> Answer:
    asked = call.request.fields()
    head, base = str(asked.get("head", "")).rpartition(":")[2], str(asked.get("base", ""))
    tips = {name: call.repo.object_at(f"refs/heads/{name}") for name in (head, base)}
    missing = next((field for field, name in (("head", head), ("base", base)) if tips[name] is None), None)
    if missing:
        errors = [{"resource": "PullRequest", "code": "invalid", "field": missing}]
        raise Refused(422, "Validation Failed", body={"errors": errors})
    if not call.repo.text("rev-list", "--max-count=1", f"{tips[base]}..{tips[head]}"):
        errors = [{"resource": "PullRequest", "code": "custom", "message": f"No commits between {base} and {head}"}]
        raise Refused(422, "Validation Failed", body={"errors": errors})
    with call.github.lock:
        facts = call.repo.facts()
        number = len(facts.pulls) + 1
        made = {
            "number": number,
            "state": "open",
            "title": asked.get("title") or head,
            "body": asked.get("body") or "",
            "draft": bool(asked.get("draft")),
            "head": {"ref": head, "sha": tips[head]},
            "base": {"ref": base, "sha": tips[base]},
            "html_url": f"{call.url}/pull/{number}",
        }
        facts.pulls = [*facts.pulls, made]
        call.repo.save(facts)
    return say(made, 201)


_CALLS: Mapping[tuple[str, str], Callable[[_Call], Answer]] = {
    ("GET", ""): _describe,
    ("GET", "git/ref/.+"): _get_ref,
    ("GET", "git/matching-refs/.+"): _matching_refs,
    ("POST", "git/refs"): _create_ref,
    ("PATCH", "git/refs/.+"): _update_ref,
    ("DELETE", "git/refs/.+"): _delete_ref,
    ("GET", "rules/branches/.+"): _rules,
    ("GET", "rulesets"): _rulesets,
    ("GET", "releases"): _releases,
    ("GET", "releases/tags/.+"): _release_by_tag,
    ("POST", "releases"): _create_release,
    ("PATCH", r"releases/\d+"): _change_release,
    ("DELETE", r"releases/\d+"): _delete_release,
    ("GET", "pulls"): _pulls,
    ("POST", "pulls"): _create_pull,
}
