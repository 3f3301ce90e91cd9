"""Not verified is not done: what comes of a change that the name servers, or Route 53 itself, do not confirm."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rrset

from resilience_cli.sandbox.service import AwsError

from .scene import EAST, WEST, Scene, refused

DENIED = AwsError("AccessDenied", "User is not authorized to perform this", 403)


@contextmanager
def name_server_that_knows_only(address: str) -> Iterator[str]:
    """A name server that answers every question with one address; where it is."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, address, over))
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


def _serve(server: socket.socket, address: str, over: threading.Event) -> None:
    while not over.is_set():
        try:
            wire, asker = server.recvfrom(4096)
        except TimeoutError:
            continue
        query = dns.message.from_wire(wire)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        (question,) = query.question
        response.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", address))
        server.sendto(response.to_wire(), asker)


def test_a_name_server_that_goes_on_answering_the_old_region_leaves_the_run_incomplete(scene: Scene) -> None:
    scene.uses(timeout="1s")
    with name_server_that_knows_only("127.0.2.1") as elsewhere:
        scene.env["RESIL_DNS"] = elsewhere
        over = scene.resil("failover", "--to", EAST, "--yes")
    assert over.code == 5, over.said
    assert f"answers {WEST}" in over.said
    assert "runs resume" in over.said
    assert scene.weights() == {WEST: 0, EAST: 100}

    del scene.env["RESIL_DNS"]
    assert scene.resil("runs", "resume", "--yes").code == 0
    assert scene.writes() == ["ChangeResourceRecordSets"]


def test_an_address_that_is_no_regions_leaves_it_unknown(scene: Scene) -> None:
    scene.uses(timeout="1s")
    with name_server_that_knows_only("127.0.9.9") as elsewhere:
        scene.env["RESIL_DNS"] = elsewhere
        over = scene.resil("failover", "--to", EAST, "--yes")
    assert over.code == 6, over.said
    assert "127.0.9.9" in over.said


def test_a_change_whose_propagation_cannot_be_read_is_unknown_until_it_can(scene: Scene) -> None:
    scene.uses(timeout="1s")
    with refused(scene.world, "GetChange", DENIED):
        over = scene.resil("failover", "--to", EAST, "--yes")
    assert over.code == 6, over.said
    assert "could not be read" in over.said
    assert "runs resume" in over.said

    assert scene.resil("runs", "resume", "--yes").code == 0
    assert scene.writes() == ["ChangeResourceRecordSets"]


def test_a_change_that_stays_pending_is_unknown(scene: Scene) -> None:
    scene.uses(timeout="1s")
    scene.world.route53.propagation = 30.0
    over = scene.resil("failover", "--to", EAST, "--yes")
    assert over.code == 6, over.said
    assert "PENDING" in over.said


def test_a_target_whose_endpoint_fails_after_the_change_is_not_done(scene: Scene) -> None:
    scene.uses(timeout="1s")

    def fail(call: object) -> AwsError | None:
        if getattr(call, "operation", "") == "ChangeResourceRecordSets":
            scene.world.impair(EAST)
        return None

    scene.world.sandbox.intercept.append(fail)
    over = scene.resil("failover", "--to", EAST, "--yes")
    assert over.code == 5, over.said
    assert f"{EAST} endpoint" in over.said


def test_a_write_that_is_throttled_is_asked_for_again(scene: Scene) -> None:
    with refused(scene.world, "ChangeResourceRecordSets", AwsError("Throttling", "Rate exceeded", 400), times=2):
        over = scene.resil("failover", "--to", EAST, "--yes")
    assert over.code == 0, over.said
    assert scene.weights() == {WEST: 0, EAST: 100}
