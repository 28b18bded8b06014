"""Child processes that never outlive their parent, and are ended in good order: first asked, then forced.

Each is the leader of a session of its own, so that Ctrl-C in a terminal reaches the parent only, and so that all that
it starts can be ended with it. On Linux the kernel ends it when its parent is killed; elsewhere only the parent does.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Child:
    """A running command with all the processes that it starts."""

    def __init__(self, command: Sequence[str], *, files: Sequence[int] = (), log: Path | None = None) -> None:
        """Start it; it inherits these open files, and what it prints goes to the log if there is one."""
        output = log.open("ab") if log else None
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output and subprocess.STDOUT,
                pass_fds=files,
                start_new_session=True,
                preexec_fn=_with_parent(os.getpid()),
            )
        finally:
            if output:
                output.close()

    @property
    def pid(self) -> int:
        """The id of the command's process and of its group."""
        return self._process.pid

    def exit_status(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._process.poll()

    def has_process(self, pid: int) -> bool:
        """Whether this process runs and belongs to the command."""
        try:
            return os.getpgid(pid) == self.pid
        except ProcessLookupError:
            return False

    def ask_to_end(self) -> None:
        """Ask the command itself, and not what it has started, to end in good order."""
        if self._process.poll() is None:
            self._process.terminate()

    def end(self, within: float) -> bool:
        """Ask it to end, and kill all of it after so many seconds; whether it ended by itself."""
        self.ask_to_end()
        try:
            self._process.wait(within)
            ended = True
        except subprocess.TimeoutExpired:
            ended = False
        self.kill()
        return ended

    def kill(self) -> None:
        """Nothing of it runs when this returns."""
        with suppress(ProcessLookupError, PermissionError):  # macOS refuses for a group of zombies
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


def die_with_parent() -> None:
    """From here on, every process that this one forks is killed when the process that forked it is gone."""
    parents: list[int] = []
    os.register_at_fork(
        before=lambda: parents.append(os.getpid()),
        after_in_parent=parents.pop,
        after_in_child=lambda: _with_parent(parents.pop())(),
    )


def _with_parent(parent: int) -> Callable[[], None]:
    def bind() -> None:
        if _libc is None:
            return
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it was gone before the kernel was told
            os._exit(1)

    return bind
