"""The verbs about keys and what is encrypted with them."""

from __future__ import annotations

from ingle.cli.output import Failure, say
from ingle.settings import Settings


def rotate_master(settings: Settings, forget: bool) -> None:
    """Raises Failure."""
    from ingle.encryption.master import MasterKeyError
    from ingle.master_key.rotation import rotate

    try:
        rotated = rotate(settings, forget=forget)
    except MasterKeyError as problem:
        raise Failure(str(problem)) from None
    if rotated.rewrapped is None:
        say(
            f"No server uses {settings.data_dir}: the next one that starts takes the master key {rotated.key} into use."
        )
        return
    say(f"The master key is {rotated.key}; {rotated.rewrapped} keys are encrypted under it now.")
    if not forget:
        say("Former keys are still where it comes from: backups that were made before need them.")
