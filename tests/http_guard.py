"""Fails a test at the moment a request is sent while a database transaction is open, the test's own apart."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

Work = Callable[..., Any]
MADE_BY_THE_TEST = "_from_testcase"  # Django marks the transactions that it wraps a test in
_submitter = threading.local()


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watches httpx's clients; a thread of a pool answers for the transactions of the thread that gave it the work."""
    send, submit = httpx.Client.send, ThreadPoolExecutor.submit

    def guarded_send(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        refuse_open_transactions(f"{request.method} {request.url.copy_with(query=None)}")
        return send(client, request, **options)

    def remembering_submit(pool: ThreadPoolExecutor, work: Work, *args: Any, **options: Any) -> Future[Any]:
        watched = _watched()

        def run(*args: Any, **options: Any) -> Any:
            _submitter.connections = watched
            try:
                return work(*args, **options)
            finally:
                _submitter.connections = []

        return submit(pool, run, *args, **options)

    monkeypatch.setattr(httpx.Client, "send", guarded_send)
    monkeypatch.setattr(ThreadPoolExecutor, "submit", remembering_submit)


def refuse_open_transactions(doing: str) -> None:
    if any(is_in_transaction(connection) for connection in _watched()):
        pytest.fail(f"A database transaction is open while HTTP is under way: {doing}")


def is_in_transaction(connection: BaseDatabaseWrapper) -> bool:
    return not all(getattr(block, MADE_BY_THE_TEST) for block in connection.atomic_blocks)


def _watched() -> Iterable[BaseDatabaseWrapper]:
    return [*connections.all(initialized_only=True), *getattr(_submitter, "connections", [])]
