"""axe-core in a browser window: what on the current page breaks WCAG 2.2 AA or good practice."""

from importlib.resources import files

SCRIPT = files("axe_playwright_python").joinpath("axe.min.js").read_text()
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {
    "runOnly": {"type": "tag", "values": STANDARDS},
    # WCAG 2.5.3, which axe holds back as experimental.
    "rules": {"label-content-name-mismatch": {"enabled": True}},
    "resultTypes": ["violations"],
}
# By the browser's own evaluation, which the page's Content-Security-Policy does not concern.
RUN = """async ([within, options]) => (await axe.run(within, options)).violations.flatMap((rule) =>
  rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}: ${node.any.concat(node.all, node.none)
    .map((check) => check.message).join("; ")}`))"""


def violations(page, within="html") -> list[str]:
    """What axe finds: rule, where, why. `within` is the selector of what it looks at."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(SCRIPT)
    return page.evaluate(RUN, [within, OPTIONS])
