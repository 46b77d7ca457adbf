"""The receipt of a revocation: its event with the facts of the proof, signed (audit/receipts.py)."""

from django.http import HttpResponse

from audit import receipts
from audit.chain import timestamp
from credentials.nodes.proof import Answer, Proof


def receipt(proof: Proof) -> str:
    """Return it as JSON text. It holds no secret. Raises vault.CannotOpen."""
    login = proof.last_login
    facts = {
        "username": proof.username,
        "committed_at": _time(proof.confirmed_at),
        "last_accepted_login": login and {"at": _time(login.at), "ip": login.ip},
        "nodes": [_facts(answer) for answer in proof.answers],
    }
    return receipts.make(proof.event, facts)


def download(proof: Proof) -> HttpResponse:
    """Return the receipt as a file."""
    name = f"revocation-{proof.event.domain_name}-{proof.event.number}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(receipt(proof), content_type="application/json", headers=headers)


def _facts(answer: Answer) -> dict:
    return {
        "name": answer.node.name,
        "role": answer.node.role,
        "state": answer.state.value,
        "refused_at": _time(answer.seen_at),
        "refused_within_ms": answer.within,
        "lease_ends_at": _time(answer.ends_at),
    }


def _time(at) -> str | None:
    return at and timestamp(at)
