"""`python -m openllm_repos` is the command `openllm-repos`."""

import sys

from openllm_repos.cli import main

sys.exit(main())
