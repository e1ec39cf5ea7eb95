"""What must hold of a record before a desk looks for the intent it speaks of."""

import pytest

from placet.decision.intake import belongs
from placet.errors import PoisonRecord
from placet.model.reasons import Reason


def test_a_record_belongs_to_the_key_of_its_tenant_and_authority() -> None:
    assert belongs("acme", "team/user:grace", 0, 1) == b"acme/team/user:grace"


@pytest.mark.parametrize(
    ("tenant", "authority"),
    [("acme/team", "user:grace"), ("", "user:grace"), ("acme", ""), ("acme", "user grace"), ("acme\nx", "user:grace")],
)
def test_no_tenant_spells_the_key_of_another(tenant: str, authority: str) -> None:
    with pytest.raises(PoisonRecord) as refused:
        belongs(tenant, authority, 0, 1)
    assert refused.value.reason == Reason.MALFORMED
