"""What people do in our own pages in a history."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.core.exceptions import ValidationError

from connectors.models import Connection
from connectors.records import Kind
from connectors.services import change_connection_credentials, check_connection
from connectors.services.reconnect import reconnect
from connectors.tokens import StoredTokens
from syncs import services
from syncs.candidates import payments_to_link
from syncs.models import Feed, Problem, Stream, SyncRecord
from syncs.schedules import BusinessDays, Cron, Cycle, Every
from syncs.states import State
from tests.simulation.somebody import Somebody
from tests.simulation.world import consent, undisturbed


class Operators(Somebody):
    """Who looks after connections and problems; each act says whether there was anything to do."""

    def map_discounts(self) -> bool:
        """Finance chooses the account for discounts, which waiting payments need, or another one."""
        accounts = self.world.company.accounts.values()
        fitting = [one["Id"] for one in accounts if one["AccountType"] in ("Other Income", "Expense")]
        return self._decide(services.set_mapping, subject="discount", source="*", target=self.chance.choice(fitting))

    def _decide(self, service: Callable[..., object], **choice: Any) -> bool:
        """A person decides something about the integration, unless we refuse it."""
        return self._ask(service, integration=self.world.integration, **choice)

    def _ask(self, service: Callable[..., object], by: str = "Ann", **what: Any) -> bool:
        """A person asks something of us; False where we refuse it."""
        try:
            service(by=by, why="a history", now=self.world.clock.now(), **what)
        except ValidationError:
            return False
        return True

    def decide_on_closed_periods(self) -> bool:
        """What is paid in a closed period is held, or posted on the first open day."""
        value = self.chance.choice(["hold", "first_open_day"])
        decided = self._decide(services.set_policy, key="closed_period", value=value)
        self.world.policies |= {("closed_period", value)} if decided else set()
        return decided

    def pause_or_resume(self) -> bool:
        """Somebody stops a feed or a stream, or lets it go on."""
        row = self._row()
        service = services.resume if row.paused else services.pause
        return not self.happens(0.2 if row.paused else 0.7) and self._ask(service, row=row)

    def run_now(self) -> bool:
        row = self._row()
        if isinstance(row, Stream):
            return self._ask(services.deliver_now, stream=row)
        return self._ask(self.chance.choice([services.read_now, services.read_in_full]), feed=row)

    def change_a_schedule(self) -> bool:
        """A feed or a stream goes by another schedule, or by the default again."""
        schedules = [
            None,
            Every(seconds=300),
            BusinessDays(times=("09:00", "15:30")),
            Cycle(times=("10:00",), weekdays=(1, 3)),
            Cron(expression="*/20 * * * *"),
        ]
        if self.happens(0.6):
            return False
        return self._ask(services.set_schedule, row=self._row(), schedule=self.chance.choice(schedules))

    def decide_on_pending_payments(self) -> bool:
        return self.happens(0.3) and self._decide(services.set_policy, key="pending_payments", value=self.happens(0.6))

    def send_again(self) -> bool:
        """What is held is sent again: one record, or all of a problem."""
        problem = self._problem()
        if problem is None:
            return False
        if self.happens(0.5):
            return self._ask(services.replay_all, problem=problem)
        held = self._held()
        return held is not None and self._ask(services.replay, sync_record=held)

    def leave_it(self) -> bool:
        problem = self._problem()
        return problem is not None and self.happens(0.3) and self._ask(services.leave, problem=problem)

    def ignore_something(self) -> bool:
        """A held record is ignored for good, or is not any more."""
        ignored = SyncRecord.objects.filter(state=State.IGNORED).order_by("pk").first()
        if ignored is not None and self.happens(0.3):
            return self._ask(services.stop_ignoring, sync_record=ignored)
        held = self._held()
        return held is not None and self.happens(0.2) and self._ask(services.ignore, sync_record=held)

    def link_a_payment(self) -> bool:
        """A held payment is one that somebody has entered in the ERP."""
        for held in self._held_payments():
            if candidates := payments_to_link(held):
                target = self.chance.choice(candidates).remote_id
                return self._ask(services.link, sync_record=held, target_id=target)
        return False

    def post_anyway(self) -> bool:
        """One person asks for it, another one confirms."""
        for held in self._held_payments():
            seen = services.what_holds(held)
            if self._ask(services.ask_to_post, sync_record=held, seen=seen):
                return self._ask(services.confirm_post, by="Ben", sync_record=held, seen=seen)
        return False

    def go_home(self) -> None:
        """In the end nothing is paused, and everything goes by the default."""
        for row in self._rows():
            self._ask(services.resume, row=row)
            self._ask(services.set_schedule, row=row, schedule=None)

    def _rows(self) -> list[Feed | Stream]:
        return [*Feed.objects.order_by("pk"), *Stream.objects.order_by("pk")]

    def _row(self) -> Feed | Stream:
        return self.chance.choice(self._rows())

    def _problem(self) -> Problem | None:
        problems = list(Problem.objects.filter(tenant=self.world.tenant, resolved_at=None).order_by("pk"))
        return self.chance.choice(problems) if problems else None

    def _held(self) -> SyncRecord | None:
        held = list(SyncRecord.objects.filter(state=State.HELD).order_by("pk"))
        return self.chance.choice(held) if held else None

    def _held_payments(self) -> list[SyncRecord]:
        held = SyncRecord.objects.filter(state=State.HELD, stream__kind=Kind.PAYMENT).order_by("pk")
        return list(held.select_related("remote_record", "stream__integration"))

    def disconnect(self) -> bool:
        """The owner of the company disconnects us by mistake."""
        if self.happens(0.9):
            return False
        self.world.person(self.world.quickbooks, "disconnect")
        return True

    def revoke_a_token(self) -> bool:
        """The customer revokes a token, or makes new ones and forgets to tell us."""
        if self.happens(0.8):
            return False
        if not self.features.tokens:
            self.world.avidxchange.person("revoke_all_tokens")
        elif self.happens(0.5):
            self.world.person(self.world.avidxchange, "issue_tokens")
        else:
            token = self.chance.choice(["company_token", "user_token"])
            self.world.avidxchange.person("revoke_token", token=self._network().credentials[token])
        return True

    def enter_new_tokens(self) -> None:
        """The customer makes new tokens, and somebody enters them."""
        values = {"company_id": "", **self.world.person(self.world.avidxchange, "issue_tokens")}
        change_connection_credentials(connection=self._network(), values=values, by="Ann", now=self.world.clock.now())
        self._check()

    def sign_in_again(self) -> bool:
        """Operations sees a connection that needs somebody, and connects it."""
        broken = Connection.objects.filter(status=Connection.Status.ATTENTION).order_by("pk")
        providers = list(broken.values_list("provider", flat=True))
        if "quickbooks" in providers:
            talk, tokens = consent(self.world)
            reconnect(talk, tokens, by="Ann")
        if "avidxchange" in providers and self.features.tokens:
            self.enter_new_tokens()
        elif "avidxchange" in providers:
            self._check()
        return bool(providers)

    def dead_sign_in(self) -> str:
        """The refresh token that we hold, if QuickBooks refuses it or soon will: the owner has disconnected us, or
        whoever was given the next one died with it."""
        held = StoredTokens.of(Connection.objects.get(pk=self.world.integration.erp_id)).load().refresh_token
        grants = self.world.quickbooks.tokens.grants
        return "" if any(one.alive and one.refresh_token == held for one in grants) else held

    def _check(self) -> None:
        """A person is told to try again in a minute while a worker fetches a token: the next round does."""
        with suppress(ValidationError):
            check_connection(connection=self._network(), by="Ann", effects=undisturbed(self.world))

    def _network(self) -> Connection:
        return Connection.objects.select_related("app").get(pk=self.world.integration.ap_network_id)
