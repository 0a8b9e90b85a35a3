"""What a remote's own hook would say of a push, and what would be lost there in silence: found before anything is sent.

:func:`openllm_repos.preflight.inspect.inspect` answers for a push of one branch to one repo of the manifest;
:func:`openllm_repos.preflight.inspect.require_accepted` turns findings into a refusal. LFS objects that the push needs
are named by the answer and carried by :func:`openllm_repos.preflight.large.carry`, before the branch moves.
"""
