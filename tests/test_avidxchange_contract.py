"""The contract profile: whole or refused, names both ways, and no name of theirs anywhere in the code."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.avidxchange import contract
from connectors.avidxchange.contract import ContractError, NotOffered, Profile, load_profile, named_profile

FOLDER = Path(contract.__file__).parent
ASSUMED = FOLDER / "profiles" / "assumed-v1.json"
PROFILES = ["assumed-v1", "renamed-v1", "avidsuite-v1-observed"]


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> Profile:
    return named_profile(request.param)


def names_of_theirs(profile: Profile) -> Iterator[str]:
    """Every path, header, argument, field (whole and by its parts) and word."""
    yield from (operation.path for operation in profile.operations.values() if operation)
    yield from (name for table in (profile.headers, profile.query) for name in table.values() if name)
    for sign_in in (profile.oauth, profile.tokens):
        yield from (header.name for header in (sign_in.headers if sign_in else []))
    for kind, table in profile.fields.items():
        for field in table:
            if profile.has(kind, field):
                yield profile.name(kind, field)
                yield from profile.name(kind, field).split(".")
    for enum, meanings in profile.enums.items():
        yield from (profile.word(enum, meaning) for meaning, words in meanings.items() if words)
    yield from (row.word for row in profile.payment_statuses if row.word)


def names_of_ours(profile: Profile) -> set[str]:
    fields = {name for table in (*profile.fields.values(), *profile.enums.values()) for name in table}
    return {*fields, *profile.query, *profile.headers, *profile.operations, *profile.fields, *profile.enums}


# Whole or refused.


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ({"operations": {"list_payments": 5}}, "`operations.list_payments`"),
        ({"operations": {"list_payments": {"method": "FETCH"}}}, "`operations.list_payments.method`"),
        ({"operations": {"list_payment": None}}, "operations.list_payment is not known: remove it, or did you mean"),
        ({"operations": {"get_payment": {"path": "/p/{key}"}}}, "operations.get_payment.path: {key} is not a slot"),
        ({"operations": {"submit_invoices": {"maxItems": None}}}, "operations.submit_invoices: a batch needs items"),
        ({"operations": {"get_payment": {"query": {"key": "k"}}}}, "operations.get_payment.query.key is not a query"),
        ({"fields": {"payment": {"amount": 5}}}, "`fields.payment.amount`"),
        ({"fields": {"invoice": {"id": None}}}, "fields.invoice.id is null, but nothing can be matched"),
        ({"limits": {"currencies": ["dollar"]}}, "`limits.currencies"),
        ({"fields": {"payment": {"amounts": "x"}}}, "fields.payment.amounts is not known"),
        ({"enums": {"payment_method": {"ach": "Check"}}}, "enums.payment_method.ach: Check already stands for check"),
        ({"auth": {"oauth": None, "tokens": None}}, "auth has no sign-in: fill in auth.oauth or auth.tokens"),
        ({"auth": {"oauth": {"headers": []}}}, "auth.oauth.headers: exactly one header must carry {access_token}"),
        ({"paging": {"strategy": "guess"}}, "`paging.strategy`"),
        ({"paging": {"strategy": "cursor"}}, "fields.page.next_cursor is null"),
        ({"limits": {"lengths": {"vendor": {"size": [0, 1]}}}}, "limits.lengths.vendor.size is not a field"),
        ({"surplus": 1}, "unknown field `surplus`"),
        ({"paymentStatuses": []}, "paymentStatuses.cleared is missing"),
    ],
)
def test_a_profile_with_a_fault_is_refused_and_the_file_and_key_are_named(override: Any, said: str) -> None:
    with pytest.raises(ContractError) as refused:
        load_profile(ASSUMED, override)
    assert said in str(refused.value)
    assert str(refused.value).startswith(str(ASSUMED))


@pytest.mark.parametrize("section", ["headers", "operations", "query", "fields", "enums"])
def test_every_name_must_be_mapped_or_null(section: str, tmp_path: Path) -> None:
    whole = json.loads(ASSUMED.read_text())
    for name in list(whole[section]):
        lacking = json.loads(ASSUMED.read_text())
        del lacking[section][name]
        (tmp_path / "lacking.json").write_text(json.dumps(lacking))
        with pytest.raises(ContractError, match=f"{section}.{name} is missing"):
            load_profile(tmp_path / "lacking.json")


def test_every_field_and_meaning_must_be_mapped_or_null(tmp_path: Path) -> None:
    whole = json.loads(ASSUMED.read_text())
    for section in ("fields", "enums"):
        for table, names in whole[section].items():
            lacking = json.loads(ASSUMED.read_text())
            name = sorted(names)[0]
            del lacking[section][table][name]
            (tmp_path / "lacking.json").write_text(json.dumps(lacking))
            with pytest.raises(ContractError, match=f"{section}.{table}.{name} is missing"):
                load_profile(tmp_path / "lacking.json")


@pytest.mark.parametrize(("text", "said"), [("{", "is not JSON"), ("[]", "object"), ("{}", "missing required field")])
def test_a_file_that_is_no_profile_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text(text)
    with pytest.raises(ContractError, match=said) as refused:
        load_profile(tmp_path / "broken.json")
    assert "broken.json" in str(refused.value)


def test_a_file_or_name_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="cannot be read"):
        load_profile(tmp_path / "none.json")
    with pytest.raises(ContractError, match="choose one of assumed-v1"):
        named_profile("elsewhere")


@pytest.mark.parametrize(
    ("change", "said"),
    [({"phase": "pending"}, "executed yes and phase pending"), ({"live": False}, "live false and phase executed")],
)
def test_a_status_that_contradicts_itself_is_refused(change: dict[str, Any], said: str) -> None:
    rows = json.loads(ASSUMED.read_text())["paymentStatuses"]
    rows = [{**row, **change} if row["canonical"] == "cleared" else row for row in rows]
    with pytest.raises(ContractError, match=said):
        load_profile(ASSUMED, {"paymentStatuses": rows})


# Names both ways.


def test_every_field_is_found_where_it_was_put(profile: Profile) -> None:
    for kind, table in profile.fields.items():
        for field in table:
            record: dict[str, Any] = {}
            profile.put(kind, record, field, "value")
            mapped = profile.has(kind, field)
            assert profile.get(kind, record, field) == ("value" if mapped else None)
            assert profile.getter(kind, field)(record) == profile.get(kind, record, field) if mapped else record == {}


def test_a_name_that_is_null_is_not_offered_and_left_out(profile: Profile) -> None:
    assert not profile.offers("void_payment")
    assert profile.header("idempotency_key") is None
    with pytest.raises(NotOffered, match="operations.void_payment is null"):
        profile.path("void_payment", id="1")


def test_a_field_with_several_names_is_read_by_the_first_that_is_there() -> None:
    profile = load_profile(ASSUMED, {"fields": {"page": {"page_count": ["Paging.PageCount", "Paging.Pages"]}}})
    assert profile.get("page", {"Paging": {"Pages": 3}}, "page_count") == 3
    assert profile.get("page", {"Paging": {"Pages": 3, "PageCount": 4}}, "page_count") == 4
    assert profile.get("page", {"Paging": None}, "page_count") is None


def test_every_word_comes_back_as_its_meaning_in_any_case(profile: Profile) -> None:
    for enum, meanings in profile.enums.items():
        for meaning, words in meanings.items():
            if words is None:
                continue
            assert profile.meaning(enum, profile.word(enum, meaning).upper()) == meaning
    assert profile.meaning("payment_method", "carrier pigeon") == "unknown"
    assert profile.meaning("payment_method", None) == "unknown"


def test_a_word_that_ends_in_a_star_stands_for_all_that_begin_so() -> None:
    profile = load_profile(ASSUMED, {"enums": {"origin": {"scan": "Scan*"}}})
    assert profile.meaning("origin", "SCANNED BY HAND") == "scan"
    assert profile.meaning("origin", "rescan") == "unknown"


def test_money_is_pending_from_processing_on_and_never_before(profile: Profile) -> None:
    phases: dict[str, set[str]] = {}
    for row in profile.payment_statuses:
        phases.setdefault(row.phase, set()).add(row.canonical)
    assert phases["none"] == {"pending_approval", "held"}
    assert phases["pending"] == {
        "processing", "debit_requested", "funds_received", "sent_to_printer", "card_processing", "error"
    }  # fmt: skip
    assert phases["executed"] == {"issued", "cleared", "stop_requested"}
    assert phases["reversed"] == {"stopped", "returned", "expired", "reissued", "refunded", "void"}


def test_a_status_word_that_nobody_knows_is_neither_live_nor_executed(profile: Profile) -> None:
    status = profile.payment_status("Teleported")
    assert (status.meaning, status.phase, status.live, status.executed) == ("unknown", "unknown", False, "no")


def test_a_status_has_a_word_per_method_where_it_has_several(profile: Profile) -> None:
    offered = [row.method for row in profile.payment_statuses if row.canonical == "issued"]
    words = {profile.payment_status_word("issued", method) for method in offered}
    assert len(words) == len(offered) == (2 if profile.profile_id == "avidsuite-v1-observed" else 3)
    assert {profile.payment_status(word.lower()).meaning for word in words} == {"issued"}


def test_a_record_errors_field_is_known_by_our_name(profile: Profile) -> None:
    assert profile.field_named("invoice", profile.name("invoice", "vendor_external_id")) == "vendor_external_id"
    assert profile.field_named("invoice", profile.name("invoice", "lines") + "[2].anything") == "lines"
    assert profile.field_named("invoice", "nonsense") is None


def test_a_query_leaves_out_what_is_not_asked(profile: Profile) -> None:
    assert profile.arguments(ids="a,b", status=None) == {profile.query["ids"]: "a,b"}


def test_one_list_may_name_its_arguments_otherwise_or_lack_one() -> None:
    profile = load_profile(ASSUMED, {"operations": {"list_invoices": {"query": {"ids": "keys", "cursor": None}}}})
    assert profile.arguments("list_invoices", ids="a", cursor="b", page_number=2) == {"keys": "a", "pageNumber": "2"}
    assert profile.arguments("list_payments", ids="a", cursor="b") == {"ids": "a", "cursor": "b"}


def test_a_path_quotes_its_slots(profile: Profile) -> None:
    assert "a%2Fb" in profile.path("payment_history", id="a/b")


def test_headers_of_a_sign_in_read_back_as_what_was_filled_in(profile: Profile) -> None:
    ways = {"oauth": ({"access_token": "abc", "company_id": "C-1"}, profile.oauth)}
    ways["tokens"] = ({"company_token": "abc", "user_token": "def"}, profile.tokens)  # type: ignore[assignment]
    for mode, (slots, way) in ways.items():
        if way is None:
            continue
        sent = profile.sign_in_headers(mode, **slots)  # type: ignore[arg-type]
        assert {header.slot(): header.read(sent[header.name]) for header in way.headers} == slots
        assert all(header.read("something else entirely") != "abc" for header in way.headers)


def test_an_address_that_nobody_confirmed_is_asked_for(profile: Profile) -> None:
    assert profile.address("simulated", "http://127.0.0.1:1/x").base_url.startswith("http://127.0.0.1:1/x/")
    with pytest.raises(ContractError, match="fill in addresses.production"):
        profile.address("production")


def test_an_override_goes_deep_and_gives_another_hash() -> None:
    plain = load_profile(ASSUMED)
    changed = load_profile(ASSUMED, {"limits": {"currencies": ["USD", "CAD"]}}, {"query": {"ids": "keys"}})
    assert changed.limits.currencies == ["USD", "CAD"]
    assert changed.limits.page_size == plain.limits.page_size
    assert changed.argument("ids") == "keys"
    assert plain.content_hash == load_profile(ASSUMED).content_hash != changed.content_hash


# No name of theirs in the code.


def test_the_renamed_profile_shares_no_name_with_the_assumed_one() -> None:
    first, second = (set(names_of_theirs(named_profile(name))) for name in PROFILES[:2])
    assert first & second == set()


def test_no_name_of_theirs_stands_in_the_code(profile: Profile) -> None:
    coincide = names_of_ours(profile) | {profile.paging.next_rel}  # plain words that both sides happen to use
    of_http = {"Authorization", "POST"}
    older = {"exception", "detail"}  # any of their services may still refuse in its older form
    forbidden = {name for name in names_of_theirs(profile) if name not in coincide | of_http | older}
    assert len(forbidden) > (50 if profile.profile_id == "avidsuite-v1-observed" else 250)
    leaked = []
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                continue
            in_paths = any(name in node.value for name in forbidden if name.startswith("/"))
            if node.value in forbidden or in_paths:
                leaked.append(f"{path.name}:{node.lineno}: {node.value}")
    assert leaked == []
