"""The network itself: on this machine only, and gone when it is over."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bluesky_network import until

EXAMPLES = Path(__file__).parents[2] / "examples"
ANY_ADDRESS_OF_THIS_MACHINE_ALONE = re.compile("0100007F:|0{24}01000000:|0{16}FFFF00000100007F:")
OWNER = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from bluesky_network import LocalBluesky

with LocalBluesky() as network:
    print(network.servers.pid, flush=True)
    sys.stdin.read(1)
    raise SystemExit("over")
"""


def processes(root):
    """A process and all that come from it, by number; Linux only."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if fields[0] != "Z":
            parents[int(status.parent.name)] = int(fields[1])
    found = {root} & set(parents)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def listening(pids):
    """The addresses on which processes listen, as Linux writes them."""
    links = [link for pid in pids for link in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {name[8:-1] for link in links if (name := os.readlink(link)).startswith("socket:")}
    rows = [
        row.split()
        for table in ("tcp", "tcp6")
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return [row[1] for row in rows if row[3] == "0A" and row[9] in inodes]


@pytest.fixture
def owner():
    """Another process that starts a network, and the numbers of that network's processes."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(EXAMPLES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    servers = processes(int(owner.stdout.readline()))
    yield owner, servers
    owner.kill()
    owner.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_every_server_listens_on_this_machine_alone(network):
    addresses = listening(processes(network.servers.pid))
    assert len(addresses) >= 6  # PLC, PDS, AppView, data plane, sync, feed, PostgreSQL
    assert [a for a in addresses if not ANY_ADDRESS_OF_THIS_MACHINE_ALONE.match(a)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("how", ["an error", "SIGINT", "SIGKILL"])
@pytest.mark.usefixtures("network")
def test_nothing_is_left_however_the_owner_ends(owner, how):
    process, servers = owner
    folder = Path(os.readlink(f"/proc/{max(servers)}/cwd"))
    assert len(servers) >= 2
    if how == "an error":
        process.stdin.write("x")
        process.stdin.flush()
    else:
        process.send_signal(getattr(signal, how))
    process.wait()
    until(lambda: [pid for pid in servers if Path(f"/proc/{pid}").exists()], lambda left: not left)
    assert not folder.exists()
