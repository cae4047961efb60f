"""What the scheduler does for the nights, every half a minute; running twice is running once."""

from dataclasses import dataclass

from studies.services.music.pool import fill_pools, renew_stale_mixes, retry_failed
from studies.services.music.upkeep import (
    drop_past_nights,
    renew_stale_nights,
    request_due,
    retry_nights,
    settle_nights,
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """How many nights were asked for, how many changed, how many mixes the pools lacked."""

    n_asked: int
    n_changed: int
    n_pooled: int


def prepare_nights() -> Prepared:
    """Drop what is over, ask for what comes, put what is ready in place, try again, fill pools.

    What waits under a pin that its study has no more is asked for anew.
    """
    return Prepared(
        n_asked=request_due(),
        n_changed=drop_past_nights() + settle_nights() + retry_nights() + renew_stale_nights(),
        n_pooled=fill_pools() + retry_failed() + renew_stale_mixes(),
    )
