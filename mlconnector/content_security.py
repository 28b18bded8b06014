"""Which pages get the strict content security policy and which the admin's."""

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

# The admin's theme writes styles and evaluates expressions in attributes; under the strict policy its login is dead.
ADMIN = {
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
}


class ContentSecurityMiddleware(CSPMiddleware):
    """Every page gets the policy of the settings; pages below the admin's path may do what the admin's theme needs."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(reverse("admin:index")) and not report_only:
            parts.replace = {**ADMIN, **(parts.replace or {})}
        return parts
