"""A GitHub and a Hugging Face Hub on this machine: real git over HTTP, LFS, and REST calls on the same repositories.

The git side is git's own ``git http-backend`` over bare repositories, with a real pre-receive hook that refuses what
the real hosts refuse, in their own words. The REST side reads and writes the same bare repositories, so a push is seen
by the API, and a commit or tag made through the API is seen by ``git fetch``::

    from openllm_repos.sandbox import Sandbox

    with Sandbox(folder) as sandbox, sandbox.entered():
        space = sandbox.hub.create("space", "lemms/openllm", sdk="gradio")
        # git clone https://huggingface.co/spaces/lemms/openllm   now comes from this machine

The rooms:

============== =====================================================================================================
sandbox        :class:`Sandbox`: starting, stopping, and the environment that leads to it
environment    how that environment is sealed: nothing inherited leads elsewhere, and every way out is refused
site           what both hosts have: repositories, tokens, faults, the log;  hub, github: each host's own
server         HTTP on loopback;  exchange: requests and answers as plain values;  control: the shell's way to both
transport      ``git http-backend``;  hook, refusals: what a push is told;  cards: the front matter of a README
lfs            LFS batches and objects
hub_rest       the Hub's REST calls, by resource;  github_rest: GitHub's
spaces         how the build of a Space goes;  publishers: tokens for CI without a secret
faults         what goes wrong on request
============== =====================================================================================================

What it cannot stand in for:

========================= ==========================================================================================
the real thing            here
========================= ==========================================================================================
TLS, certificates         plain HTTP on 127.0.0.1
accounts, 2FA, SSO        a table of tokens; an id token's claims are compared, its signature is not
the Hub's binary test     every blob with a NUL byte in its first 8,000 bytes that is not an LFS pointer is refused
the Hub's card schema     the rules that public reports and the documentation prove, not all of them
builds of Spaces          the stage is worked out from README.md and the files, or set by the test
rate limits and quotas    none is counted; a 429 comes where a fault asks for one
Xet                       not served: clients are told HF_HUB_DISABLE_XET=1 (by `environment`), and use LFS
discussions, webhooks     ``create_pr`` makes ``refs/pr/N``; there is no conversation, and nothing is called back
Gitaly, the Hub's git     git's own server: what it advertises may differ (atomic pushes on the Hub are unproven)
GitHub's last line        the stock "pre-receive hook declined", not "push declined due to repository rule violations"
GitHub's other gates      no secret scanning, no checks, no required reviews, no generated release notes
the CDN                   LFS objects come from the same process, under another host name
========================= ==========================================================================================

Nothing here proves the real hosts; it proves what the tool does when they behave as they are known to.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openllm_repos.sandbox.sandbox import Sandbox as Sandbox

__all__ = ["Sandbox"]


def __getattr__(name: str) -> object:
    # The hook of every push imports this package: it must not pay for an HTTP server.
    if name != "Sandbox":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from openllm_repos.sandbox.sandbox import Sandbox

    return Sandbox
