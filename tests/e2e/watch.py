"""Watches a browser window for problems that a user wouldn't see."""

import re

# The Content-Security-Policy's own event: the console alone leaves some violations out.
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} forbids ${event.blockedURI || "inline"}`));
"""
# Chromium and htmx log a refused request once more, beside the response that is judged here;
# htmx logs what we abort ourselves.
_KNOWN = re.compile(
    r"Failed to load resource: the server responded|Response Status Error Code"
    r"|htmx:(afterRequest|sendAbort), \[object HTML(Dialog|Div)Element\]$"
)


class Watch:
    """Collects JS errors, console errors and warnings, CSP violations and failed requests."""

    def __init__(self, page):
        self.problems = []
        self.expected = set()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"JS error: {error}"))
        page.on("response", self._response)
        page.on("requestfailed", self._failed)

    def expect(self, *statuses):
        """Let these refusals pass: the story is about them."""
        self.expected.update(statuses)

    def _console(self, message):
        if message.type in ("error", "warning") and not _KNOWN.match(message.text):
            self.problems.append(f"console: {message.text}")

    def _response(self, response):
        if response.status >= 400 and response.status not in self.expected:
            self.problems.append(f"{response.status}: {response.request.method} {response.url}")

    def _failed(self, request):
        # ABORTED is the browser's own doing, when a page is left while something still loads.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"failed: {request.method} {request.url} {request.failure}")
