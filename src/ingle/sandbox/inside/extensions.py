"""External extensions: programs that run beside the runtime, as the same user and behind the same walls.

Started by the init process of an environment, which is their parent and reports how they end.
"""

import os
import signal

import confinement
import linux


def start_all(request, settings, output):
    """Start the programs of `settings["extensions"]`, [name, path] each: (names by process id, errors by name).

    `output` is the end of a pipe for what they write; `settings` also holds "variables", "limits", "seccomp", and
    what `confinement.mount` needs.
    """
    if request["namespaces"]:
        confinement.mount(settings)
    names, errors = {}, {}
    for name, path in settings["extensions"]:
        pid, error = _start(request, settings, path, output)
        if error:
            os.waitpid(pid, 0)
            errors[name] = error
        else:
            names[pid] = name
    return names, errors


def _start(request, settings, path, output):
    """(process id, why it could not be executed)."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            _execute(request, settings, path, output, writer)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as report:
        return pid, report.read()


def _execute(request, settings, path, output, report):
    """Become the program, or write to `report` why that cannot be."""
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        report = os.dup2(report, 3, inheritable=False)
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.dup2(null, 0)
        os.closerange(4, 1024)
        confinement.write("/proc/self/oom_score_adj", "500")
        confinement.limit(settings["limits"])
        confinement.give_up_privileges(request, settings)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.chdir("/")
        os.execve(path, [path], settings["variables"])
    except OSError as error:
        os.write(report, (error.strerror or str(error)).encode())
