# openllm-repos judges the push. These lines go first: they read what git says of it, and hand it to the lines below.
pushed_refs=$(cat)
if openllm-repos --version >/dev/null 2>&1; then
  printf '%s\n' "$pushed_refs" | openllm-repos hooks run pre-push "$@" || exit
else
  echo "warning: openllm-repos was not found, so this push is not checked" >&2
fi
[ -z "$pushed_refs" ] || exec <<END
$pushed_refs
END
