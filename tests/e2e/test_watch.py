"""The watch over browser windows detects each kind of problem."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PROBLEMS = {
    "JS error: late": "setTimeout(() => { throw new Error('late') })",
    "console: loud": "console.error('loud')",
    "CSP: style-src-attr": "document.body.setAttribute('style', 'color: red')",
    "CSP: script-src-attr": "document.body.setAttribute('onclick', '1'); document.body.click()",
    "CSP: img-src": "new Image().src = 'http://127.0.0.1:9/x.png'",
    "404: GET": "fetch('/no-such-page/')",
}


class TestWatch:
    def test_watch_reports_each_kind_of_problem(self, window):
        page, watch = window()
        page.goto("/login/")
        for words, script in PROBLEMS.items():
            page.evaluate(f"() => {{ {script} }}")
            for _ in range(1000):
                if any(words in problem for problem in watch.problems):
                    break
                page.wait_for_timeout(20)
            seen, watch.problems[:] = watch.problems[:], []
            assert any(words in problem for problem in seen), seen
