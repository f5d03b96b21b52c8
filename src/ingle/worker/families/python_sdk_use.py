"""Whether a package may use the AWS SDK: decides which zygote its environments are forked from.

A guess that only costs or saves time: the SDK can be imported either way. Called by `worker.host`, in a thread.
"""

from __future__ import annotations

import os
from pathlib import Path

#: Bytes of source that are looked through; a larger package is taken for one that uses the SDK.
_LIMIT = 32 << 20
_NAMES = (b"boto3", b"botocore")


def may_use_sdk(*directories: Path) -> bool:
    """Whether any Python file below `directories` names the SDK. Symbolic links are not followed."""
    left = _LIMIT
    for folder, _, files in (found for directory in directories for found in os.walk(directory)):
        for name in files:
            path = Path(folder, name)
            if not name.endswith((".py", ".pyc")) or path.is_symlink():
                continue
            left -= path.stat().st_size
            if left < 0:
                return True
            source = path.read_bytes()
            if any(word in source for word in _NAMES):
                return True
    return False
