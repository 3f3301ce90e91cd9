"""A drill's commands reach this machine only. Tried on documentation addresses, in processes of their own: the hook
cannot be taken out again, and nothing is sent, as it speaks before the operating system is asked."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from resilience_cli.loopback import LOOPBACK_ONLY, is_loopback

GUARDED = "import socket\nfrom resilience_cli.loopback import refuse_the_rest, NotLoopback\nrefuse_the_rest()\n"
TRY = """
try:
    {}
except NotLoopback as refused:
    print("refused", refused)
else:
    print("went out")
"""


def python(code: str) -> str:
    done = subprocess.run(
        (sys.executable, "-W", "error", "-c", code), capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('192.0.2.1', 443), timeout=0.01)",
        "s = socket.socket(); s.setblocking(False); s.connect(('192.0.2.1', 443))",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 443))",
        "socket.socket().connect(('::ffff:192.0.2.1', 443))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b'x'], (), 0, ('192.0.2.1', 53))",
        "socket.getaddrinfo('route53.amazonaws.com', 443)",
        "socket.gethostbyname('example.com')",
        "socket.getnameinfo(('192.0.2.1', 80), 0)",
        "socket.socket(socket.AF_UNIX).connect('/run/docker.sock')",
        "__import__('subprocess').run(('true',))",
        "__import__('os').system('true')",
    ],
)
def test_what_would_leave_the_machine_is_refused_before_it_is_tried(attempt: str) -> None:
    code = GUARDED + "import warnings; warnings.simplefilter('ignore')\n" + TRY.format(attempt)
    assert python(code).startswith("refused")


def test_loopback_is_reached_by_address_and_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        attempts = (f"socket.create_connection((host, {port}), timeout=5).close()", "socket.getaddrinfo(host, 80)")
        code = GUARDED + "for host in ('127.0.0.1', 'localhost'):\n  " + "; ".join(attempts) + "\nprint('reached')"
        assert python(code) == "reached\n"


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.200.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        (b"localhost", True),
        ("localhost.", True),
        ("0.0.0.0", False),
        ("localhost.example.com", False),
        ("169.254.169.254", False),
        ("2130706433", False),
    ],
)
def test_a_host_is_judged_by_its_name_alone(host: str | bytes, here: bool) -> None:
    assert is_loopback(host) is here


CONFIG = """\
version: 1
app: a
account: "123456789012"
regions: {primary: us-west-2, standby: [us-east-1]}
routing:
  - zone: example.com
    record: {name: a.example.com}
    policy: weighted
    endpoints: {us-west-2: {}, us-east-1: {}}
    levers: [weights]
    home: {us-west-2: 100, us-east-1: 0}
signals:
  - {kind: endpoint, urls: {us-west-2: "https://192.0.2.1/health", us-east-1: "https://192.0.2.2/health"}}
dns: {resolver: 192.0.2.53}
"""


def test_the_command_itself_refuses_when_its_environment_says_so(tmp_path: Path) -> None:
    """AWS, a probe and a resolver, all of them at documentation addresses."""
    (tmp_path / "resil.yaml").write_text(CONFIG)
    own = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": "http://192.0.2.7"}
    bare = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    done = subprocess.run(
        (sys.executable, "-m", "resilience_cli", "status", "--output", "json"),
        env={**bare, **own, "AWS_CONFIG_FILE": os.devnull, LOOPBACK_ONLY: "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "Could not connect to the endpoint URL" in said  # the SDK keeps the cause to itself
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.53"):
        assert f"a drill reaches this machine only, not {address}" in said, said
