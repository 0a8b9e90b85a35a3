"""The environment that git gets from us: the person's own, less what could redirect git or widen what it may do."""

from __future__ import annotations

import os
from collections.abc import Mapping

# GIT_* that say who the person is, how to reach hosts, and which configuration files are theirs. Every other GIT_*
# is dropped: a hook or a wrapper may have set it for another repository (GIT_DIR, GIT_INDEX_FILE, ...).
_KEPT = frozenset(
    {
        "GIT_ASKPASS",
        "GIT_ATTR_NOSYSTEM",
        "GIT_AUTHOR_DATE",
        "GIT_AUTHOR_EMAIL",
        "GIT_AUTHOR_NAME",
        "GIT_COMMITTER_DATE",
        "GIT_COMMITTER_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_EXEC_PATH",
        "GIT_LFS_SKIP_SMUDGE",
        "GIT_PROXY_COMMAND",
        "GIT_PROXY_SSL_CAINFO",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
        "GIT_SSL_CERT",
        "GIT_SSL_KEY",
    }
)
_KEPT_PREFIXES = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_HTTP_")
_PROTOCOLS = ("https", "ssh", "file")
_AT_MOST = (*_PROTOCOLS, "http")

# Said with every call. Objects and refs are synced to disk because git's default leaves refs and loose objects to the
# operating system; damaged or hostile objects are refused on arrival, except faults that old, honest histories have.
CONFIGURATION: tuple[str, ...] = (
    "core.fsync=committed,loose-object,reference",
    "core.fsmonitor=false",
    "core.commitGraph=true",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "push.followTags=false",
    "push.gpgSign=false",
    "fetch.fsckObjects=true",
    "fetch.fsck.zeroPaddedFilemode=ignore",
    "fetch.fsck.badTimezone=ignore",
    "fetch.fsck.missingSpaceBeforeDate=ignore",
    "fetch.fsck.missingSpaceBeforeEmail=ignore",
    "fetch.fsck.missingNameBeforeEmail=ignore",
    "fetch.fsck.nullSha1=ignore",
    "fetch.writeCommitGraph=false",
    "transfer.credentialsInUrl=die",
    "protocol.version=2",
    # A connection over which nothing comes for five minutes is dead; a server that works on a push sends a sign of life
    # every few seconds, but no more than that.
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=300",
    "protocol.file.allow=always",
    "gc.auto=0",
    "maintenance.auto=false",
    "merge.directoryRenames=false",
    "merge.renormalize=false",
    "advice.graftFileDeprecated=false",  # we do name a file of grafts: an empty one
    "core.quotePath=false",
    "log.follow=false",
    "log.showRoot=true",
    "log.showSignature=false",
    "diff.relative=false",
    f"diff.orderFile={os.devnull}",
    "diff.ignoreSubmodules=none",
    "fetch.prune=false",
    "fetch.pruneTags=false",
    "push.pushOption=",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
)


def git_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for every git that we start, made from `environ` (default: this process's own).

    The caller's own GIT_ALLOW_PROTOCOL is kept to: it may allow less, and plain http (a server on the same machine).
    Transports that run commands (``ext::``) are never allowed. Replace refs and grafts are ignored, nothing asks at a
    terminal, and messages are in English only so that a person can look them up; no decision reads them.
    """
    own = os.environ if environ is None else environ
    env = {
        name: value
        for name, value in own.items()
        if not name.startswith("GIT_") or name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    allowed = own["GIT_ALLOW_PROTOCOL"].split(":") if "GIT_ALLOW_PROTOCOL" in own else _PROTOCOLS
    env.update(
        LC_ALL="C",
        LANGUAGE="",
        GIT_ALLOW_PROTOCOL=":".join(one for one in _AT_MOST if one in allowed),
        GIT_PROTOCOL_FROM_USER="0",
        GIT_TERMINAL_PROMPT="0",
        GIT_NO_REPLACE_OBJECTS="1",
        GIT_GRAFT_FILE=os.devnull,
        GIT_OPTIONAL_LOCKS="0",
        GIT_ADVICE="0",
        GIT_MERGE_AUTOEDIT="no",
    )
    return env
