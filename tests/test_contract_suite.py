"""What every connector promises for every kind that it reads and writes, asked of each that there is, on its simulator.

The writes are the engine's own: all is worked off up to the kind in question, and what is claimed then is written here.
What a connector says without speaking to anybody is in `test_contract_samples.py`.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import pytest

from connectors.base import Connector, Page, Receipt, Write
from connectors.conversation import finish
from connectors.errors import ConnectorError, OutcomeUnknown, RecordRejected
from connectors.records import AnyRecord, Image, Kind, canonical, restore
from connectors.registry import connectors
from connectors.simulators import Request, Response, Simulator
from tests.contract.pairing import CANARY, Pair, all_in_step, ask, due, paired
from tests.contract.spoiling import Spoilt, refused

WRITTEN = [(key, kind) for key, one in sorted(connectors().items()) for kind in sorted(one.writes)]
UNKNOWN = "987654321"
MOST_PAGES = 50
pytestmark = pytest.mark.django_db
written = pytest.mark.parametrize(("provider", "kind"), WRITTEN)
every = pytest.mark.parametrize("provider", sorted(connectors()))


# Writing.


@written
def test_what_is_not_there_is_proved_absent_and_found_once_it_is_written(provider: str, kind: Kind) -> None:
    _, slice_, writes = due(provider, kind)
    assert ask(slice_, lambda connector: connector.find(writes)) == {one.record_key: None for one in writes}
    outcomes = ask(slice_, lambda connector: connector.write(writes))
    assert [type(outcome) for outcome in outcomes] == [Receipt] * len(writes)
    found = ask(slice_, lambda connector: connector.find(writes))
    assert {key: receipt.id for key, receipt in found.items() if receipt} == {
        one.record_key: outcome.id for one, outcome in zip(writes, outcomes, strict=True)
    }
    if kind in connectors()[provider].reads:
        shown = ask(slice_, lambda connector: connector.fetch(kind, [outcome.id for outcome in outcomes]))
        assert {id: one.version for id, one in shown.items()} == {one.id: one.version for one in outcomes}
        assert all(one.version for one in outcomes)


@written
def test_the_same_write_a_second_time_changes_nothing_in_the_books(provider: str, kind: Kind) -> None:
    pair, slice_, writes = due(provider, kind)
    first = ask(slice_, lambda connector: connector.write(writes))
    before = deepcopy(pair.simulators[provider].books())
    again = ask(slice_, lambda connector: connector.write(writes))
    assert pair.simulators[provider].books() == before
    assert [outcome.id for outcome in again] == [outcome.id for outcome in first]


@written
def test_a_lost_answer_is_in_doubt_and_what_was_written_is_found(provider: str, kind: Kind) -> None:
    pair, slice_, writes = due(provider, kind)
    simulator = pair.simulators[provider]
    for verb in ("POST", "PUT"):
        simulator.drop_answer(verb)
    assert in_doubt(slice_, writes)
    simulator.clear_faults()
    found = ask(slice_, lambda connector: connector.find(writes))
    missing = [one for one in writes if found[one.record_key] is None]
    if missing:  # what a value stands under was written, and the value itself not yet
        ask(slice_, lambda connector: connector.write(missing))
    before = deepcopy(simulator.books())
    found = ask(slice_, lambda connector: connector.find(writes))
    assert {one.record_key for one in writes} == {key for key, receipt in found.items() if receipt}
    ask(slice_, lambda connector: connector.write(writes))
    assert simulator.books() == before


@written
def test_a_refused_neighbour_stops_nobody(provider: str, kind: Kind) -> None:
    _, slice_, [sound, *_] = due(provider, kind)
    unfit = refused(sound)
    outcomes = ask(slice_, lambda connector: connector.write([unfit, sound]))
    assert [type(one) for one in outcomes] == [RecordRejected, Receipt]
    assert outcomes[0].code in {fault.code for fault in connectors()[provider].faults}
    found = ask(slice_, lambda connector: connector.find([unfit, sound]))
    assert found[sound.record_key] is not None
    assert found.get(unfit.record_key) is None


# Reading.


@every
def test_every_kind_is_read_with_its_bytes_and_version_and_fetched_as_it_was_read(provider: str) -> None:
    pair = all_in_step(provider)
    for kind, _, pages in sweeps(pair, provider):
        records = records_of(kind, pages)
        assert records, f"the furnished company has no {kind}"
        for record in records.values():
            assert restore(kind, canonical(record)) == record
            assert record.version, f"{kind} {record.id}"
        assert call(pair, provider, fetching(kind, [*records, UNKNOWN])) == records, kind


@every
def test_a_page_is_read_again_from_its_cursor_and_only_the_last_says_that_all_was_shown(provider: str) -> None:
    pair = all_in_step(provider)
    for kind in sorted(connectors()[provider].reads):
        after = None
        for page in sweep(pair, provider, kind):
            assert call(pair, provider, reading(kind, after)) == page, kind
            assert json.loads(json.dumps(page.cursor)) == page.cursor
            assert page.complete <= {kind}
            assert not (page.more and page.complete), kind
            after = page.cursor


@every
def test_asked_for_changes_it_comes_to_an_end_and_goes_on_from_there(provider: str) -> None:
    pair = all_in_step(provider)
    cursor = call(pair, provider, lambda connector: connector.start_of_changes(pair.clock.now()))
    for _ in range(MOST_PAGES):
        page = call(pair, provider, partial(changes, cursor))
        cursor = page.cursor
        assert json.loads(json.dumps(cursor)) == cursor
        assert page.complete == frozenset()
        if not page.more:
            break
    assert not page.more
    assert {kind for kind, _ in page.records} <= connectors()[provider].reads


@every
def test_a_row_that_cannot_be_read_is_shown_and_stops_nothing(provider: str) -> None:
    pair = all_in_step(provider)
    wire = pair.wire
    for kind, asked, pages in sweeps(pair, provider):
        before = {record.id for page in pages for _, record in page.records}
        victim = next(iter(records_of(kind, pages)))
        pair.wire = Spoilt(wire, victim)
        spoilt = list(sweep(pair, provider, asked))
        unreadable = {one.id: one for page in spoilt for one in page.unreadable}
        assert victim in unreadable, kind
        assert all(one.why and one.raw for one in unreadable.values()), kind
        assert {record.id for page in spoilt for _, record in page.records} == before - unreadable.keys(), kind
        with pytest.raises(ConnectorError):  # it is there: nobody may take it for gone
            call(pair, provider, fetching(kind, [victim]))
        pair.wire = wire


# Faults.


@every
def test_every_fault_is_reached_by_its_raw_answer(provider: str) -> None:
    kind = sorted(connectors()[provider].writes)[-1]
    pair, slice_, writes = due(provider, kind)
    pair.read_all()
    named = [replace(writes[0], record_key="k")]  # as the raw answers call what they are about
    doors = list(doors_of(pair, provider, named))
    token = finish(slice_.talk.token())
    unreached = []
    for fault in connectors()[provider].faults:
        if fault.sample:
            status, body = fault.sample
            answer = Response(status=status, body=body.encode(), headers={"date": "Sat, 21 Nov 2026 05:33:30 GMT"})
            errors = [error for door in doors for error in met(pair, provider, token, door, answer)]
            reached = [error for error in errors if error.code == fault.code]
            if not reached:
                unreached.append(fault.code)
            assert {(error.message, error.provider) for error in reached} <= {(fault.cause, provider)}, fault.code
    assert unreached == []


def doors_of(pair: Pair, provider: str, writes: Sequence[Write]) -> Iterator[Callable[[Connector], Any]]:
    """Every way to ask the provider something."""
    connector = connectors()[provider]
    yield lambda connector: connector.obtain("a refresh token")
    yield lambda connector: connector.account()
    yield lambda connector: connector.write(writes)
    yield from (reading(kind, None) for kind in (Kind.VENDOR, Kind.PAYMENT))
    if Kind.IMAGE in connector.reads:
        images = records_of(Kind.IMAGE, list(sweep(pair, provider, Kind.IMAGE))).values()
        [image, *_] = [one for one in images if isinstance(one, Image)]
        yield lambda connector: list(connector.open(image))


def met(
    pair: Pair, provider: str, token: str, door: Callable[[Connector], Any], answer: Response
) -> Iterator[ConnectorError]:
    """What comes of it where the first request, or only the second, is answered like this."""
    for let_through in (0, 1):
        refuse_after(pair.simulators[provider], let_through, answer)
        try:
            outcome = door(pair.talk(provider).connector(token))
            yield from (one for one in outcome if isinstance(one, ConnectorError)) if isinstance(outcome, list) else ()
        except ConnectorError as error:
            yield error
        pair.simulators[provider].clear_faults()


def refuse_after(simulator: Simulator, let_through: int, answer: Response) -> None:
    """So many requests happen, and all the others are answered with this."""
    seen = 0

    def act(request: Request, proceed: Callable[[], Response]) -> Response:
        nonlocal seen
        seen += 1
        return proceed() if seen <= let_through else answer

    simulator.fault("*", act, times=1000)


# Secrets.


@every
def test_no_secret_is_in_a_log_an_exchange_or_an_error(provider: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    pair = paired(provider)
    talk = pair.talk(provider)
    token = finish(talk.token())
    connector = talk.connector(token)
    secrets = [it for it in [*pair.connection(provider).app.credentials.values(), token] if CANARY in it or it == token]
    said = [connector.account(), connector.check(), connector.session, *connector.session.http.exchanged]
    for status in (200, 400, 401, 403, 429, 500):
        echoed = json.dumps({"error": " ".join(secrets), "access_token": token}).encode()
        for door in islice(doors_of(pair, provider, []), 2):
            pair.simulators[provider].refuse("*", Response(status=status, body=echoed), times=9)
            again = pair.talk(provider).connector(token)
            try:
                door(again)
            except ConnectorError as error:
                said += [error, error.detail]
            said += again.session.http.exchanged
            pair.simulators[provider].clear_faults()
    told = caplog.text + "".join(f"{one} {one!r}" for one in said)
    assert [secret for secret in secrets if secret and secret in told] == []


# How it is asked.


def call(pair: Pair, provider: str, job: Callable[[Connector], Any]) -> Any:
    """What the connector answers, signed in as the engine would be."""
    return finish(pair.talk(provider).call(job))


def sweep(pair: Pair, provider: str, kind: Kind) -> Iterator[Page]:
    """Every page of a kind."""
    after = None
    for _ in range(MOST_PAGES):
        page = call(pair, provider, reading(kind, after))
        yield page
        if not page.more:
            return
        after = page.cursor
    raise AssertionError(f"reading {kind} does not come to an end")


def sweeps(pair: Pair, provider: str) -> Iterator[tuple[Kind, Kind, list[Page]]]:
    """Every kind, the kind that is asked for to see it, and the pages; some stand in another's list."""
    own = {kind: list(sweep(pair, provider, kind)) for kind in sorted(connectors()[provider].reads)}
    for kind, pages in own.items():
        asked = next((other for other, shown in {kind: pages, **own}.items() if records_of(kind, shown)), kind)
        yield kind, asked, own[asked]


def records_of(kind: Kind, pages: Sequence[Page]) -> dict[str, AnyRecord]:
    """The records of a kind on these pages, by id."""
    return {record.id: record for page in pages for its, record in page.records if its is kind}


def changes(cursor: dict[str, Any], connector: Connector) -> Page:
    return connector.changes(cursor)


def reading(kind: Kind, after: dict[str, Any] | None) -> Callable[[Connector], Page]:
    return lambda connector: connector.read(kind, after)


def fetching(kind: Kind, ids: Sequence[str]) -> Callable[[Connector], dict[str, AnyRecord]]:
    return lambda connector: connector.fetch(kind, ids)


def in_doubt(slice_: Any, writes: Sequence[Write]) -> bool:
    """Whether the connector says of all of these that their outcome is not known, together or one by one."""
    try:
        outcomes = ask(slice_, lambda connector: connector.write(writes))
    except OutcomeUnknown:
        return True
    return any(isinstance(outcome, OutcomeUnknown) for outcome in outcomes)
