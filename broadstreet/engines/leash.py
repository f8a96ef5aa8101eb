"""Become another program on a leash: it ends when the process that started it ends, however that one ended.

Run as a script, never imported: `python -I -S leash.py PARENT_PID SIGNAL UID GID PROGRAM ARGUMENT...`. It gives up
root if told to (UID and GID, -1 to stay), asks the kernel to send SIGNAL when the thread that started it is gone, and
then turns into PROGRAM under the same pid. The order matters: Linux forgets the request when the user changes. A
`preexec_fn` would do the same in the parent's copy, where Python and threads do not mix.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
EXIT_ORPHANED = 3
EXIT_NOT_LEASHED = 4


def main() -> None:
    """Change user, tie the leash, become the program."""
    parent_pid, death_signal, uid, gid = (int(argument) for argument in sys.argv[1:5])
    program = sys.argv[5:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        sys.exit(EXIT_NOT_LEASHED)
    if os.getppid() != parent_pid:
        sys.exit(EXIT_ORPHANED)
    try:
        os.execv(program[0], program)
    except OSError as error:
        sys.exit(f"cannot run {program[0]}: {error}")


main()
