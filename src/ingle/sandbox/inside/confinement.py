"""The steps by which a process of an environment gives up what it must not have once it runs function code.

Used by the parked process that becomes the runtime, and by those that become extensions. In this order: mount, limit,
give up privileges. Nothing can be undone.
"""

import os
import resource

import linux

HIDDEN = "/run"  # packages and images, seen until the function's code is mounted


def mount(settings):
    """Code and layers at their places; after that nothing of the host's packages is to be seen.

    Does nothing in a sandbox where it was done. Whether it was shows here and nowhere else: a process that was to do it
    may have been killed before.
    """
    if not os.path.isdir(HIDDEN + "/packages"):
        return
    linux.bind("%s/packages/%s" % (HIDDEN, settings["package"]), "/var/task")
    if settings["layers"]:
        linux.bind("%s/packages/%s" % (HIDDEN, settings["layers"]), "/opt")
    linux.umount(HIDDEN)


def limit(limits):
    for name, (soft, hard) in limits.items():
        kind = getattr(resource, name)
        try:
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError):
            # Without CAP_SYS_RESOURCE a hard limit can only fall.
            ceiling = resource.getrlimit(kind)[1]
            soft, hard = (ceiling if value == -1 else min(value, ceiling) for value in (soft, hard))
            resource.setrlimit(kind, (soft, hard))


def give_up_privileges(request, settings):
    """`request` describes the environment, see `environment.Init`."""
    if request["privileged"]:
        linux.drop_bounding_set()
        os.setgroups([])
        os.setresgid(request["uid"], request["uid"], request["uid"])
        os.setresuid(request["uid"], request["uid"], request["uid"])
    elif request["namespaces"]:
        _enter_user_namespace(request["uid"])
    linux.drop_capabilities()
    # A process that changed its user cannot read its own /proc entries until it is dumpable again.
    linux.prctl(linux.PR_SET_DUMPABLE, 1)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    if settings["seccomp"]:
        linux.load_seccomp(bytes.fromhex(settings["seccomp"]))


def _enter_user_namespace(uid):
    """A namespace of its own, in which an ordinary user's process has the id `uid` and no rights over the others."""
    outside = os.geteuid()
    linux.unshare(linux.CLONE_NEWUSER)
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", "%d %d 1" % (uid, outside))
    write("/proc/self/gid_map", "%d %d 1" % (uid, outside))


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
