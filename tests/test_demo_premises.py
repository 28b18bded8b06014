"""Ports of the demo: never one that is in use, never one that another demo is about to use."""

import socket

from mlconnector.demo.premises import free_port


def test_a_port_that_somebody_serves_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert taken < free_port(taken) < taken + 200


def test_a_port_is_given_out_once() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        wanted = probe.getsockname()[1]
    assert free_port(wanted) < free_port(wanted)
