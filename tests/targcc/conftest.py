"""One database and one worker for all the operations on a product; both products' start at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import drop_database, new_database, server_of
from tests.targcc.office import Office

PRODUCTS = ("mariadb", "mysql")


@pytest.fixture(scope="session")
def offices(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Office]]:
    """The tables of TARGCC and a worker process on them, by product."""
    made: dict[str, tuple[Office, str]] = {}
    wanted = [p for p in PRODUCTS if p in request.config.getoption("--engines").split(",")]

    def start(product: str) -> None:
        url = new_database(server_of(product))
        made[product] = (Office(url, tmp_path_factory.mktemp(product)), url)
        made[product][0].start()

    def office(product: str) -> Office:
        if product not in wanted:
            pytest.skip(f"{product} is not among --engines")
        if product not in made:
            start(product)
            for other in wanted:
                try:
                    if other not in made:
                        start(other)
                except pytest.skip.Exception:
                    continue
        return made[product][0]

    yield office
    for product, (one, url) in made.items():
        one.close()
        drop_database(server_of(product), url)


@pytest.fixture(params=PRODUCTS)
def office(request: pytest.FixtureRequest, offices: Callable[[str], Office]) -> Office:
    """The one of a product."""
    return offices(request.param)
