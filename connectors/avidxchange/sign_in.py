"""How a connection signs in: by the partner application's access token and a company id, or by the company's tokens.

Exactly one way has to be filled in. The two tokens go out with every request and are asked for nowhere, so there is no
token call, nothing to refresh, and nothing that a second try could mend.
"""

from typing import Annotated

import msgspec

from connectors.avidxchange.contract import NotOffered, Profile
from connectors.avidxchange.contract_sections import Address
from connectors.avidxchange.faults import fault


class App(msgspec.Struct, frozen=True, kw_only=True):
    """The partner application, as AvidXchange's API store issued it for one environment; for connections by tokens the
    addresses alone."""

    client_id: Annotated[
        str,
        msgspec.Meta(
            title="Client ID",
            description="The consumer key in AvidXchange's API store; empty if every company brings its own tokens.",
        ),
    ] = ""
    client_secret: Annotated[
        str,
        msgspec.Meta(
            title="Client secret",
            description="The consumer secret beside it; kept encrypted and never shown again.",
            extra={"secret": True},
        ),
    ] = ""
    base_url: Annotated[
        str,
        msgspec.Meta(
            title="Base address",
            description="Where the interface answers, version included, as AvidXchange gave it at onboarding; "
            "empty where the contract profile knows it.",
            pattern="^(https://.+)?$",
        ),
    ] = ""
    token_url: Annotated[
        str,
        msgspec.Meta(
            title="Token address",
            description="Where access tokens are issued, as AvidXchange gave it at onboarding.",
            pattern="^(https://.+)?$",
        ),
    ] = ""

    def __repr__(self) -> str:
        return f"App(client_id={self.client_id!r}, base_url={self.base_url!r}, token_url={self.token_url!r})"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Which customer the application acts for, or the tokens that the customer issued."""

    company_id: Annotated[
        str,
        msgspec.Meta(
            title="Company ID",
            description="The company's id at AvidXchange, for the partner application; empty with tokens.",
        ),
    ] = ""
    company_token: Annotated[
        str,
        msgspec.Meta(
            title="Company token",
            description="In place of a company id: issued in AvidSuite under System Setup, Account Information, "
            "Connections, API.",
            extra={"secret": True},
        ),
    ] = ""
    user_token: Annotated[
        str,
        msgspec.Meta(
            title="User token", description="Issued in the same place; both tokens together.", extra={"secret": True}
        ),
    ] = ""

    def __repr__(self) -> str:
        return f"Credentials(company_id={self.company_id!r})"


def is_by_tokens(app: App, credentials: Credentials) -> bool:
    """Whether the company's own tokens sign every request; refuses a sign-in that is not whole, or two of them."""
    tokens = [credentials.company_token, credentials.user_token]
    if not any(tokens) and credentials.company_id and app.client_id and app.client_secret:
        return False
    if all(tokens) and not credentials.company_id:
        return True
    raise fault("credentials_incomplete")


def signed(profile: Profile, app: App, credentials: Credentials, access_token: str) -> dict[str, str]:
    """The headers that say who asks, and for which company."""
    try:
        if is_by_tokens(app, credentials):
            return profile.sign_in_headers(
                "tokens", company_token=credentials.company_token, user_token=credentials.user_token
            )
        return profile.sign_in_headers("oauth", access_token=access_token, company_id=credentials.company_id)
    except NotOffered as error:
        raise fault("contract_profile", str(error)) from error


def refuse_no_token_address(address: Address, by_tokens: bool) -> None:
    """A partner application has to know where its access tokens are issued."""
    if not by_tokens and not address.token_url:
        raise fault("address_missing")
