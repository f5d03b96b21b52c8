"""What an environment claims of the machine before it is forked: a group, a user id, and an image for /tmp.

Used by `sandbox.supervisor` only. A user id is not given again before the group of its last user is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingle.sandbox.cgroups import Cgroup, CgroupTree, discover
from ingle.sandbox.images import ImageStore


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Claim:
    """`uid` is of the host; `image` a file name in the image directory, None for a tmpfs."""

    name: str
    uid: int
    cgroup: Cgroup
    image: str | None


class Claims:
    """All claims of one supervisor. `images` is the directory for images, None where there can be none."""

    def __init__(self, cgroup_name: str, users: tuple[int, int], images: Path | None) -> None:
        self._users = users
        self._free_uids = list(range(users[0] + users[1] - 1, users[0] - 1, -1))
        self._tree = CgroupTree(discover(), cgroup_name)
        self._images = ImageStore(images) if images is not None else None
        self._wants_images = False
        self._dying: list[Claim] = []

    @property
    def controllers(self) -> list[str]:
        return sorted(self._tree.controllers)

    def prepare(self) -> None:
        """Remove what an earlier, crashed supervisor left."""
        self._tree.prepare()

    def take(self, name: str, tmp_mb: int) -> Claim:
        """Raises OSError, and then holds nothing."""
        if not self._free_uids:
            raise OSError(f"all {self._users[1]} user ids are taken")
        cgroup = self._tree.create(name)
        try:
            image = None if self._images is None else self._images.acquire(name, tmp_mb)
        except OSError:
            cgroup.remove()
            raise
        self._wants_images = self._images is not None
        return Claim(name=name, uid=self._free_uids.pop(), cgroup=cgroup, image=image)

    def give_back(self, claim: Claim) -> None:
        """No process of `claim` runs any more; `bury` tells when the rest is gone too."""
        if self._images is not None and claim.image is not None:
            self._images.release(claim.image)
        self._dying.append(claim)

    @property
    def dying(self) -> bool:
        return bool(self._dying)

    def bury(self) -> list[Claim]:
        """The claims of which nothing is left since the last call."""
        gone = [claim for claim in self._dying if claim.cgroup.remove()]
        self._dying = [claim for claim in self._dying if claim not in gone]
        for claim in self._dying:
            claim.cgroup.kill()  # a clone's processes may have forked while they were being killed
        self._free_uids += [claim.uid for claim in gone]
        return gone

    # --- images ahead of their use ----------------------------------------------------------------------------------

    @property
    def has_images(self) -> bool:
        return self._images is not None

    @property
    def wants_images(self) -> bool:
        return self._wants_images

    def want_images(self) -> None:
        self._wants_images = self._images is not None

    def copy_image(self) -> None:
        """Copy one image ahead, while there is nothing better to do."""
        try:
            self._wants_images = self._images is not None and self._images.refill()
        except OSError:
            self._wants_images = False  # no room; the next environment tries again and reports it

    def end(self, running: list[Claim], patience: float) -> None:
        """Leave nothing behind; groups get up to `patience` seconds each to become empty."""
        for claim in [*running, *self._dying]:
            claim.cgroup.remove(patience)
        if self._images is not None:
            self._images.clear()
        self._tree.remove()
