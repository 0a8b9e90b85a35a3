"""What stands against a release: every check is made, and all that is found is listed together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from openllm_repos.errors import EnvironmentProblem, ReposError
from openllm_repos.family.access import hub_repo_of
from openllm_repos.family.modules import differences
from openllm_repos.family.remotes import CONNECTIONS, DEADLINE, RemoteState
from openllm_repos.family.source import hold_against_remote
from openllm_repos.family.tags import TagState, named, without_tag
from openllm_repos.git.gitlinks import pins_in_commit
from openllm_repos.git.gitmodules import modules_text, read_modules
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.remote import Unreachable, require_writable
from openllm_repos.git.repository import Repository
from openllm_repos.git.tags import sign_tag, signing_wanted, tagger_now
from openllm_repos.hint import command_line
from openllm_repos.hub.client import HubClient
from openllm_repos.hub.failures import HubError
from openllm_repos.hub.model import HubInfo, Runtime
from openllm_repos.lockfile.model import lock_path
from openllm_repos.manifest.model import At, LockPlace, Manifest, Repo
from openllm_repos.manifest.selection import of_groups
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName, TagName
from openllm_repos.plan import RefUpdate, Stopped, TargetPlan
from openllm_repos.release.desk import Desk
from openllm_repos.release.model import Obstacle, RepoPlan
from openllm_repos.status.problems import about_space
from openllm_repos.text import show
from openllm_repos.versions.commit import files_of
from openllm_repos.versions.order import same
from openllm_repos.versions.stated import stated

_FAILS = EnvironmentProblem.exit_code


def about_source(
    manifest: Manifest, repository: Repository, remote: RemoteState, commit: ObjectId
) -> Iterator[Obstacle]:
    """The source is clean, and this clone and its remote have the same tip."""
    name = manifest.source.name
    held = hold_against_remote(repository, commit, remote)
    catch_up = held.catch_up(repository, remote)
    if held.unpushed is None:
        yield Obstacle(name, f"has no branch {manifest.source.branch} on its remote yet.", catch_up)
    elif held.unpushed and held.behind:
        message = f"this clone and the remote have both gone on ({held.unpushed} here, {held.behind} there)."
        yield Obstacle(name, message, catch_up)
    elif held.unpushed:
        verb = "is" if held.unpushed == 1 else "are"
        how = "not pushed" if held.unpushed > held.given_up else "not on its remote any more: it was reset"
        yield Obstacle(name, f"has {_commits(held.unpushed)} that {verb} {how}.", catch_up)
    elif held.behind:
        yield Obstacle(name, f"has {_commits(held.behind)} on its remote that this clone lacks.", catch_up)
    if repository.top is not None:
        changed = repository.person().run("status", "--porcelain", "-z", "--untracked-files=no").stdout
        files = [row for row in changed.split(b"\0") if row]
        if files:
            count = "1 file" if len(files) == 1 else f"{len(files)} files"
            yield Obstacle(name, f"has {count} changed but not committed.", "git stash  # or commit them")


def manifest_in(reader: ObjectReader, commit: ObjectId, path: str) -> bytes | None:
    """Return the manifest that a commit holds; None where it holds none, or `path` lies outside the repository."""
    return None if path.startswith("..") else files_of(reader, commit)(path)


def about_manifest(
    reader: ObjectReader, manifest: Manifest, commit: ObjectId, path: str, groups: Sequence[str]
) -> Iterator[Obstacle]:
    """The manifest that is used is the one that the released commit holds."""
    name = manifest.source.name
    content = manifest_in(reader, commit, path)
    if content is None:
        yield Obstacle(
            name, f"{show(path)} is not in the commit {commit[:10]}.", command_line("git", "add", "--", path)
        )
        return
    try:
        same = of_groups(Manifest.parse(content, manifest.origin), groups) == manifest
    except ReposError:
        same = False
    if not same:
        yield Obstacle(name, f"{show(path)} says something else at {commit[:10]} than here.", "Commit and push it.")


def about_versions(
    manifest: Manifest, name: str, repo: Repo, reader: ObjectReader, commit: ObjectId, version: str
) -> Iterator[Obstacle]:
    """The version files of a commit say the version of the release."""
    places = manifest.project.version if repo is manifest.source else repo.version
    for one in stated(places, files_of(reader, commit)):
        if one.agrees(version):
            continue
        said = f"says {one.version}, not {version}" if one.version is not None else one.problem
        mend = f"openllm-repos version set {version}  # then commit and push"
        how = mend if repo is manifest.source else "Change it there, commit and push."
        yield Obstacle(name, f"{show(one.file)} {show(said)} (at {commit[:10]}).", how)


def about_sync(manifest: Manifest, step: TargetPlan | Stopped, *, allow_drift: bool) -> Iterator[Obstacle]:
    """A target can be synced, and has no drift that the source does not know."""
    if isinstance(step, Stopped):
        message = step.reason.removeprefix(f"{step.target}: ").removeprefix(f"{step.target} ")
        yield Obstacle(step.target, message, step.hint, step.exit_code if step.exit_code == _FAILS else 3)
    elif step.held:
        message = f"is held at {show(step.held)} since it was rolled back, so it does not have what would be released."
        yield Obstacle(step.target, message, f"openllm-repos rollback {step.target} --lift")
    elif step.drift.files and not allow_drift and manifest.target(step.target).at is At.TIP:
        files = "1 mapped file" if len(step.drift.files) == 1 else f"{len(step.drift.files)} mapped files"
        yield Obstacle(
            step.target,
            f"has drifted: {files} changed there, which the source does not have.",
            f"openllm-repos diff {step.target}\nopenllm-repos import {step.target}  # or pass --allow-drift",
        )


def about_lock(manifest: Manifest, tag: TagName) -> Iterator[Obstacle]:
    """No map carries the locks: each release would leave that target behind its source."""
    if manifest.project.lock is LockPlace.TAG:
        return
    path = lock_path(tag).encode()
    for target in manifest.targets:
        for a_map in target.maps:
            if a_map.source.matches(path):
                yield Obstacle(
                    target.name,
                    f"its map of {a_map.source.text} carries the locks as well, so it would lack one at once.",
                    'Narrow the map, or let the tag carry the lock: project.lock = "tag"',
                )


def about_spelling(manifest: Manifest, tag: TagName, known: Sequence[TagName]) -> Iterator[Obstacle]:
    """No release has this version under another spelling: 1.0 is 1.0.0, and 1.0.0rc1 is 1.0.0-rc.1."""
    form = manifest.project.tag
    wanted = form.version_of(tag) or tag
    for other in known:
        version = form.version_of(other) or other
        if other != tag and same(version, wanted):
            message = f"{wanted} is another spelling of {version}, which has the tag {other} already."
            how = f"openllm-repos release {version}  # makes sure that it is complete"
            yield Obstacle(manifest.source.name, message, how, final=True)


def about_tags(plans: Sequence[RepoPlan], states: Mapping[RepoName, RemoteState]) -> Iterator[Obstacle]:
    """The tag is free, or already where it is planned, in every repo."""
    for plan in plans:
        remote, name = states[plan.repo.name], plan.repo.name
        remove = without_tag(remote.endpoint.push_url, plan.tag)
        if plan.state is TagState.MOVED:
            wanted = f", not at {plan.commit[:10]}" if plan.commit is not None else ""
            message = f"its tag {plan.tag} is at {str(named(remote, plan.tag))[:10]}{wanted}."
            how = f"{remove}\nElse take the next version: a tag that others may have is never moved."
            yield Obstacle(name, message, how, final=True)
        elif plan.state is TagState.LIGHTWEIGHT:
            message = f"its tag {plan.tag} is at the right commit, but lightweight, and a release has annotated ones."
            yield Obstacle(name, message, remove)
        elif plan.state is TagState.UNKNOWN:
            yield Obstacle(name, remote.trouble, remote.hint, _FAILS)


def about_spaces(
    spaces: Sequence[Repo], found: Mapping[RepoName, Runtime | HubInfo], version: str
) -> Iterator[Obstacle]:
    """Every Space runs that the release's own sync does not build anew."""
    anyway = f"openllm-repos release {version} --allow-broken  # or release it all the same"
    for repo in spaces:
        runtime = found.get(repo.name)
        if isinstance(runtime, Runtime):
            for problem in about_space(repo, runtime):
                yield Obstacle(problem.repo, problem.message, f"{problem.next}\n{anyway}")


def about_pins(
    manifest: Manifest, repository: Repository, commit: ObjectId, plans: Sequence[RepoPlan]
) -> Iterator[Obstacle]:
    """What the source pins as submodules is what the release tags, and ``.gitmodules`` says where it comes from."""
    if not manifest.pinned:
        return
    pins = pins_in_commit(repository, commit, [path for _, path in manifest.pinned])
    rows = {row.repo.name: row for row in plans}
    for repo, path in manifest.pinned:
        row, pinned = rows.get(repo.name), pins.get(path)
        if row is None or row.commit is None or pinned in {None, row.commit}:
            continue
        message = f"is pinned at {str(pinned)[:10]} ({path}), and the release would tag {row.commit[:10]}."
        yield Obstacle(repo.name, message, f"{_pinning(repo)}  # then commit and push")
    try:
        modules = read_modules(repository, modules_text(repository, commit))
    except ReposError as why:
        yield Obstacle.of(manifest.source.name, why)
        return
    for one in differences(manifest, modules, pins.keys()):
        if one.repo and (one.settings or one.path not in pins):
            repo = manifest.repo(one.repo)
            first = one.command == f"openllm-repos pin {repo.name}"
            how = _pinning(repo) if first else one.command or "openllm-repos remotes sync"
            yield Obstacle(one.repo, f"{one.message} (at {commit[:10]}).", f"{how}  # then commit and push")


def _pinning(repo: Repo) -> str:
    """Return how a repo is pinned where it should be; what a target is to hold has to be there first."""
    before = f"openllm-repos sync {repo.name}\n" if repo.maps else ""
    return f"{before}openllm-repos pin {repo.name}"


def about_access(
    repository: Repository,
    plans: Sequence[RepoPlan],
    states: Mapping[RepoName, RemoteState],
    probe: ObjectId,
    hub: HubClient | None,
) -> Iterator[Obstacle]:
    """Every repo can be written, as far as it tells before something is sent.

    git asks GitHub and plain servers; the Hub lets anybody begin a push whom it knows, so it is asked itself instead.
    """
    asked = [plan for plan in plans if plan.state is TagState.MISSING]

    def one(plan: RepoPlan) -> Obstacle | None:
        url = states[plan.repo.name].endpoint.push_url
        there = hub_repo_of(plan.repo)
        if hub is not None and there is not None and url.startswith("http"):
            try:
                access = hub.write_access(there)
            except HubError as why:
                return Obstacle(plan.repo.name, f"cannot be written: {why.message}", why.hint, _FAILS)
            if access.allowed:
                return None
            return Obstacle(plan.repo.name, f"cannot be written: {access.why}", access.hint)
        update = RefUpdate(plan.tag.ref, repository.zero, probe)
        try:
            require_writable(repository, url, update, deadline=3 * DEADLINE)
        except Unreachable as why:
            return Obstacle(plan.repo.name, f"cannot be written: {why.message}", why.hint)
        return None

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        yield from (found for found in pool.map(one, asked) if found is not None)


def about_signing(desk: Desk, source: str, commit: ObjectId, tag: TagName) -> Iterator[Obstacle]:
    """Where tags are to be signed, a signature can be made."""
    try:
        tagger = tagger_now(desk.repository)
        if signing_wanted(desk.repository):
            sign_tag(desk.scratch(source), commit, tag, tagger, "A trial, thrown away.\n")
    except EnvironmentProblem as why:
        yield Obstacle(source, why.message, why.hint, _FAILS)


def _commits(count: int) -> str:
    return "1 commit" if count == 1 else f"{count} commits"
