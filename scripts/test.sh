#!/usr/bin/env bash
# All tests, in two processes. What fails beside others is run once more, alone: a test of the kernel that looks at what
# goes in the kernel's own time may be too early on a busy machine. What fails twice fails.
#   test.sh PYTHON
set -uo pipefail
"$1" -m pytest -n 2 --dist loadgroup
status=$?
# 1: tests failed. Anything else is not for trying again.
if [ "$status" -eq 1 ]; then
    echo "Once more, alone, what failed:"
    "$1" -m pytest --last-failed --last-failed-no-failures none
    status=$?
fi
exit "$status"
