"""The one place that speaks HTTP: where it goes, how often it asks, what a failure means, and what is kept of it."""

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest

from connectors.clock import VirtualClock
from connectors.errors import ConnectorError, OutcomeUnknown, RateLimited, TransientError, UnexpectedResponse
from connectors.http import Answer, Http
from connectors.redaction import REDACTED, redact, redact_url

HOST, CARD = "api.example.com", "4111111111111111"
URL = f"https://{HOST}/bills"
SECRET = "canary/of+the=app"
Happening = Exception | httpx.Response


@dataclass
class Network(httpx.BaseTransport):
    """What happens to the requests, one after the other, the last again and again; what arrived is kept."""

    happens: list[Happening] = field(repr=False)
    arrived: list[httpx.Request] = field(default_factory=list, repr=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.arrived.append(request)
        happening = self.happens[min(len(self.arrived), len(self.happens)) - 1]
        if isinstance(happening, Exception):
            raise happening
        return httpx.Response(happening.status_code, headers=happening.headers, stream=happening.stream)


def classify(answer: Answer) -> ConnectorError | None:
    """What a provider's table would say, with its words as the detail."""
    if answer.status == 200:
        return None
    words = answer.body.decode()
    if answer.status == 429:
        return RateLimited("Too many.", retry_after=30, detail=words)
    kind = TransientError if answer.status >= 500 else UnexpectedResponse
    return kind("It did not work.", detail=words, status=answer.status)


def speak(*happens: Happening, hosts: frozenset[str] = frozenset({HOST}), simulated: bool = False) -> Http:
    """Requests over a network on which this happens."""
    clock = VirtualClock(datetime(2026, 3, 2, 14, tzinfo=UTC))
    network = Network(list(happens) or [httpx.Response(200, content=b"{}")])
    return Http(transport=network, clock=clock, hosts=hosts, private_hosts_allowed=simulated)


def arrived(http: Http) -> list[str]:
    assert isinstance(http.transport, Network)
    return [str(request.url) for request in http.transport.arrived]


def read(http: Http) -> Answer:
    return http.read(URL, classify=classify)


def write(http: Http) -> Answer:
    return http.write(URL, classify=classify, body=b'{"amount": 1}')


def sign_in(http: Http) -> Answer:
    return http.sign_in(URL, classify=classify, body=b"grant_type=refresh_token", headers={})


ONCE = pytest.mark.parametrize("send", [write, sign_in])


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        f"https://{HOST}@evil.example/",
        f"https://evil.example@{HOST}/",
        f"https://user:password@{HOST}/",
        f"https://{HOST}.evil.example/",
        f"https://{HOST}:8443/",
        f"https://evil.example#@{HOST}/",
        f"https://evil.example\\@{HOST}/",
        f"https://evil.example?@{HOST}/",
        f"https://{HOST}%2eevil.example/",
        f"https://{HOST}%00.evil.example/",
        f"https://{HOST}\t.evil.example/",
        f"https:///{HOST}/",
        f"https:{HOST}/",
        f"//{HOST}/",
        "https://[::1]/",
        f"https://[::ffff:{HOST}]/",
        f"https://[{HOST}/",
        "https://\uff41pi.example.com/",
        "https://2130706433/",
        f"http://{HOST}/",
        f"ftp://{HOST}/",
        f"file://{HOST}/etc/passwd",
    ],
)
def test_a_request_goes_to_the_provider_over_https_or_not_at_all(url: str) -> None:
    http = speak()
    with pytest.raises(UnexpectedResponse) as refused:
        http.write(url, classify=classify, body=b"{}")
    assert refused.value.code == "host_not_allowed"
    assert arrived(http) == []
    assert "password" not in str(refused.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "127.0.0.1.", "0x7f.1", "0x7f000001", "0177.0.0.1", "2130706433", "10.0.0.8",
        "169.254.169.254", "8.8.8.8", "[::1]", "[::ffff:127.0.0.1]", "[fd00::1]", "localhost", "localhost.",
        "a.localhost", "metadata.google.internal", "intranet", "printer.local",
    ],
)  # fmt: skip
def test_no_private_address_is_reached_however_it_is_written(host: str) -> None:
    http = speak(hosts=frozenset({host}))
    with pytest.raises(UnexpectedResponse, match="public names only"):
        http.read(f"https://{host}/bills", classify=classify)
    assert arrived(http) == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:9300", "http://[::1]", "http://simulator", "https://10.0.0.8"])
def test_the_simulated_environment_alone_may_be_here_and_without_encryption(address: str) -> None:
    host = address.partition("//")[2]
    http = speak(hosts=frozenset({host}), simulated=True)
    http.read(f"{address}/bills", classify=classify)
    assert arrived(http) == [f"{address}/bills"]
    with pytest.raises(UnexpectedResponse):
        http.read(f"ftp://{host}/bills", classify=classify)


@pytest.mark.parametrize("send", [read, write, sign_in])
@pytest.mark.parametrize("location", ["https://evil.example/", f"https://{HOST}/elsewhere"])
def test_a_redirect_is_not_followed(send: Callable[[Http], Answer], location: str) -> None:
    http = speak(httpx.Response(302, headers={"location": location}), httpx.Response(200, content=b"{}"))
    with pytest.raises(UnexpectedResponse):
        send(http)
    assert arrived(http) == [URL]


@pytest.mark.parametrize(
    "happening",
    [httpx.ReadTimeout("late"), httpx.ConnectError("refused"), httpx.Response(500, content=b"broken")],
)
def test_a_read_is_tried_three_times_within_seconds_and_then_given_back(happening: Happening) -> None:
    http = speak(happening)
    with pytest.raises(TransientError):
        read(http)
    assert len(arrived(http)) == len(http.exchanged) == 3
    assert 0 < http.clock.monotonic() < 4


def test_a_read_that_fails_for_a_moment_succeeds_in_place() -> None:
    http = speak(httpx.ReadTimeout("late"), httpx.Response(503, content=b""), httpx.Response(200, content=b'{"a": 1}'))
    assert read(http).json() == {"a": 1}


@pytest.mark.parametrize("status", [400, 401, 404, 429])
def test_a_read_that_was_refused_or_told_to_wait_is_not_repeated_in_place(status: int) -> None:
    http = speak(httpx.Response(status, content=b"no"))
    with pytest.raises((RateLimited, UnexpectedResponse)):
        read(http)
    assert len(arrived(http)) == 1


NOT_SENT = [httpx.ConnectError("refused"), httpx.ConnectTimeout("no answer"), httpx.PoolTimeout("all are busy")]
PERHAPS_DONE = [
    httpx.ReadTimeout("late"),
    httpx.WriteTimeout("late"),
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("closed without an answer"),
    httpx.Response(200, headers={"content-encoding": "gzip"}, content=None, stream=httpx.ByteStream(b"no gzip")),
]


@ONCE
@pytest.mark.parametrize("happening", NOT_SENT, ids=lambda happening: type(happening).__name__)
def test_what_never_left_may_be_sent_again_later(send: Callable[[Http], Answer], happening: Happening) -> None:
    http = speak(happening)
    with pytest.raises(TransientError):
        send(http)
    assert len(arrived(http)) == 1


@ONCE
@pytest.mark.parametrize("happening", PERHAPS_DONE, ids=lambda happening: type(happening).__name__)
def test_what_left_without_a_readable_answer_is_in_doubt(send: Callable[[Http], Answer], happening: Happening) -> None:
    http = speak(happening)
    with pytest.raises(OutcomeUnknown):
        send(http)
    assert len(arrived(http)) == 1
    assert http.exchanged[0].status is None
    assert http.exchanged[0].error


@ONCE
@pytest.mark.parametrize("status", [200, 302, 400, 401, 408, 429, 500, 502, 503, 504])
def test_a_write_is_sent_once_whatever_the_answer(send: Callable[[Http], Answer], status: int) -> None:
    http = speak(httpx.Response(status, content=b"{}"))
    with suppress(ConnectorError):
        send(http)
    assert len(arrived(http)) == 1


def test_a_port_where_nobody_listens_is_a_trouble_that_passes() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        http = speak(hosts=frozenset({host}), simulated=True)
        http.transport = httpx.HTTPTransport()
        with pytest.raises(TransientError):
            http.write(f"http://{host}/", classify=classify, body=b"{}")


@pytest.mark.parametrize(
    "body",
    [
        '{"access_token": "%s"}',
        '{"Client_Secret" : "%s", "a": 1}',
        '{"tokens": ["%s", "other"]}',
        '{"detail": "{\\"refresh_token\\": \\"%s\\", \\"a\\": 1}"}',
        '{"userPassword":"%s',
        "<p>Authorization: Bearer %s</p>",
        '{"error": "bad header: Basic %s=="}',
    ],
)
def test_a_kept_body_has_no_value_of_a_secret_name(body: str) -> None:
    kept = redact((body % "eyJhbGciOi-canary").encode())
    assert "canary" not in kept
    assert REDACTED in kept


def test_a_kept_body_still_tells_versions_and_amounts() -> None:
    body = '{"SyncToken": "3", "Id": "145", "TotalAmt": 120.50, "requestid": "9130350000000001"}'
    assert redact(body.encode()) == body


@pytest.mark.parametrize("card", [CARD, "4111 1111 1111 1111", "5555-5555-5555-4444"])
def test_a_full_card_number_is_kept_nowhere(card: str) -> None:
    http = speak(httpx.Response(200, json={"memo": f"Card {card} declined", "last4": "1111"}))
    http.write(f"{URL}?reference={card}", classify=classify, body=f'{{"memo": "{card}"}}'.encode())
    [kept] = http.exchanged
    assert all(card not in text for text in (kept.url, kept.request_body, kept.answer_body))
    assert '"last4":"1111"' in kept.answer_body


def test_what_was_asked_is_kept_with_the_address() -> None:
    http = speak()
    asked = {"query": "select * from Bill where DocNumber = 'A&B'", "minorversion": "75"}
    http.read(f"{URL}?page=2", classify=classify, params=asked)
    http.write(URL, classify=classify, params={"requestid": "abc"}, body=b"{}")
    assert [kept.url for kept in http.exchanged] == [
        f"{URL}?page=2&query=select+*+from+Bill+where+DocNumber+=+'A%26B'&minorversion=75",
        f"{URL}?requestid=abc",
    ]


@pytest.mark.parametrize("how", [lambda name, value: {name: value}, lambda name, value: {f"{name}[]": value}])
@pytest.mark.parametrize(
    "name", ["code", "state", "access_token", "id_token_hint", "client_secret", "code_verifier", "client_assertion"]
)
def test_no_argument_of_a_secret_name_is_kept(name: str, how: Callable[[str, str], dict[str, str]]) -> None:
    http = speak()
    given = how(name, "canary") if name != "state" else {name: "canary"}
    http.read(f"{URL}?{name}=canary", classify=classify, params={**given, "status": "open", "SyncToken": "3"})
    assert "canary" not in str(http.exchanged)
    assert http.exchanged[0].url.endswith("&status=open&SyncToken=3")


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        "canary%2Fof%2Bthe%3Dapp",
        "https://back.example/?code=canary&state=canary",
        '{"refresh_token": "canary"}',
        "Bearer canary-canary-canary",
        "a=1&access_token=canary",
    ],
)
@pytest.mark.parametrize("happening", [httpx.Response(200, content=b"{}"), httpx.ReadTimeout("late")])
def test_no_argument_smuggles_a_secret_into_what_is_kept(value: str, happening: Happening) -> None:
    http = speak(happening)
    http.hide(SECRET)
    with suppress(ConnectorError):
        http.write(URL, classify=classify, params={"note": value, value: "x"}, body=b"{}")
    assert "canary" not in str(http.exchanged)
    assert "note=" in http.exchanged[0].url


def test_of_a_token_call_no_query_is_kept() -> None:
    http = speak()
    http.sign_in(f"{URL}?anything=canary", classify=classify, body=b"", headers={})
    assert http.exchanged[0].url == URL


def test_a_long_query_is_cut_after_what_must_not_be_kept_is_gone() -> None:
    kept = redact_url(URL, {"ids": ",".join(["0123456789abcdef"] * 900), "code": "canary"})
    assert kept.startswith(f"{URL}?ids=0123456789abcdef,")
    assert len(kept) == 2000


@pytest.mark.parametrize("name", ["access_token", "client_secret", "code", "Signature"])
def test_a_kept_address_has_no_value_of_a_secret_name(name: str) -> None:
    assert redact_url(f"{URL}?a=1&{name}=canary&b=2") == f"{URL}?a=1&{name}={REDACTED}&b=2"


@pytest.mark.parametrize("spelled", [SECRET, "canary%2Fof%2Bthe%3Dapp"])
@pytest.mark.parametrize("status", [200, 500])
def test_a_secret_that_a_provider_echoes_goes_no_further(spelled: str, status: int) -> None:
    http = speak(httpx.Response(status, json={"message": f"We do not like {spelled}."}))
    http.hide(SECRET)
    try:
        told = http.write(f"{URL}?key={spelled}", classify=classify, body=spelled.encode()).body.decode()
    except TransientError as error:
        told = str(error)
    assert f"We do not like {REDACTED}." in told
    assert "canary" not in str(http.exchanged) + repr(http)


def test_the_longer_of_two_secrets_that_begin_alike_is_hidden_whole() -> None:
    http = speak(httpx.Response(200, json={"message": f"{SECRET}-and-more"}))
    http.hide(SECRET)
    http.hide(f"{SECRET}-and-more", "")
    assert read(http).json() == {"message": REDACTED}


def test_of_a_token_call_no_body_is_kept_and_the_answer_is_whole() -> None:
    http = speak(httpx.Response(200, json={"refresh_token": SECRET}))
    http.hide(SECRET)
    answer = sign_in(http)
    assert answer.json() == {"refresh_token": SECRET}
    assert SECRET not in repr(answer)
    [kept] = http.exchanged
    assert (kept.request_body, kept.answer_body, kept.status) == ("(not kept)", "(not kept)", 200)
