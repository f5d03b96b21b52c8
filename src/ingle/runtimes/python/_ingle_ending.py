"""The end of a runtime process that was forked: what the interpreter does after an uncaught exception.

A forked process has frames of the zygote below it and may not return into them, so it ends here: exit status or signal,
what is written to the standard error, threads that are waited for and functions registered with `atexit` are those of a
program that ends by the same exception.
"""

import os
import signal
import sys


def end(error):
    """End the process by `error`, any BaseException. Never returns."""
    status = 1
    try:
        status = _status(error)
        _wait_for_threads()
        _run_exit_functions()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BaseException:
        # What the function installed (excepthook, streams) must not keep the process alive.
        pass
    finally:
        if isinstance(error, KeyboardInterrupt):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        os._exit(status)


def _status(error):
    if not isinstance(error, SystemExit):
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    sys.stderr.write("%s\n" % (error.code,))
    return 1


def _wait_for_threads():
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()


def _run_exit_functions():
    import atexit

    atexit._run_exitfuncs()
