"""A domain that somebody deletes while another acts on it: a clear answer, never a server error."""

import pytest
from django.db import connection

from domains.access import Permission
from domains.models import Domain
from tests.routes.table import routes
from tests.routes.world import OWNER, make_world

# Add learns it from its foreign key, when it commits: tests/credentials/test_credential.py.
ROUTES = [
    route for route in routes() if isinstance(route.rights.post, Permission) and route.name != "credentials:add"
]
# Enough that each act is begun.
FIELDS = {
    "name": "sl.example.com",
    "title": "x",
    "label": "x",
    "networks": "192.0.2.1",
    "emails": "max@example.org",
    "role": "manager",
    "sure": "on",
}


@pytest.mark.django_db
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_act_on_a_concurrently_deleted_domain_says_so(route):
    world, waits = make_world(), True
    fields = FIELDS | {"member": world.parts["public_id"], "username": world.parts["username"]}

    def delete_once_let_in(execute, sql, *args):
        nonlocal waits
        result = execute(sql, *args)
        if waits and "FROM domains_domain" in sql:
            waits = False
            Domain.objects.all().delete()
        return result

    with connection.execute_wrapper(delete_once_let_in):
        response = world.client(OWNER).post(world.path(route), fields, headers={"HX-Request": "true"})
    assert not Domain.objects.exists()
    # 422: nobody of those who could be chosen is there any more.
    assert response.status_code == (422 if route.name == "domains:transfer" else 404)
