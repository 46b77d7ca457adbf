"""A program on a terminal, whose questions are answered."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
from pathlib import Path

SILENT_SECONDS = 300
PASSWORD = "correct-horse-battery-9"
# Prompt → answer.
PROMPTS = {r"Password: $": PASSWORD, r"Password \(again\): $": PASSWORD, r"\[yes/no\] $": "yes"}


def type_into(command: list[str], log: Path) -> tuple[int, str]:
    """Run a command on a terminal and answer its prompts; return its exit code and what it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)  # noqa: S606
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    shown, answered = "", 0
    with log.open("w") as copy:
        while select.select([terminal], [], [], SILENT_SECONDS)[0]:
            try:
                data = os.read(terminal, 65536).decode(errors="replace").replace("\r", "")
            except OSError:  # the terminal's other end is closed
                break
            copy.write(data)
            copy.flush()
            shown += data
            for prompt, answer in PROMPTS.items():
                if re.search(prompt, shown[answered:][-200:]):
                    answered = len(shown)
                    os.write(terminal, f"{answer}\n".encode())
                    break
        else:
            os.kill(pid, signal.SIGKILL)
            shown += f"\nsilent for {SILENT_SECONDS} s\n"
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown
