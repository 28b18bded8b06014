"""No HTTP while a database transaction is open: the guard of all tests does its work."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.db import transaction

pytestmark = pytest.mark.django_db


def ask() -> int:
    with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200))) as client:
        return client.get("http://provider.example/bill?secret=x").status_code


def ask_in_a_pool() -> int:
    with ThreadPoolExecutor(2) as pool:
        return pool.submit(ask).result()


@pytest.mark.parametrize("ask", [ask, ask_in_a_pool])
def test_the_transaction_of_the_test_itself_is_no_hindrance(ask: Callable[[], int]) -> None:
    with transaction.atomic():
        pass
    assert ask() == 200


@pytest.mark.parametrize("ask", [ask, ask_in_a_pool])
def test_a_request_in_a_transaction_fails_the_test(ask: Callable[[], int]) -> None:
    with (
        transaction.atomic(),
        pytest.raises(pytest.fail.Exception, match="while HTTP is under way: GET http://provider.example/bill$"),
    ):
        ask()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ask", [ask, ask_in_a_pool])
def test_it_is_noticed_too_in_tests_that_commit(ask: Callable[[], int]) -> None:
    assert ask() == 200
    with transaction.atomic(), pytest.raises(pytest.fail.Exception):
        ask()
