"""`python -m tests.busy ...` runs pytest with these arguments beside BUSY=8 busy processes, with `nice -n NICE` (0).

The busy processes end when this process ends, even if it is killed. With eight of them on two cores, a test process
gets a fortieth of a core with NICE=10, and a fifth with NICE=0.
"""

import os
import subprocess
import sys
from contextlib import ExitStack

LOOP = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"


def main(arguments: list[str]) -> int:
    """Run pytest; return its exit code."""
    with ExitStack() as running:
        for _ in range(int(os.environ.get("BUSY", "8"))):
            process = subprocess.Popen([sys.executable, "-c", LOOP])
            running.callback(process.wait)
            running.callback(process.kill)
        command = ["nice", "-n", os.environ.get("NICE", "0"), sys.executable, "-m", "pytest", *arguments]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
