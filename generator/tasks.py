"""The workers' doors: each fetches nothing itself, calls one service and returns.

Only workers load this module, and with it torch. Everybody else sends these tasks by name.
"""

import logging

import torch
from celery import Task, shared_task
from celery.signals import worker_ready, worker_shutdown
from celery.worker.consumer import Consumer

from generator.services import heartbeat, labour, rendering, requesting, storage

logger = logging.getLogger(__name__)

_pulses: dict[str, heartbeat.Pulse] = {}


@shared_task(name=requesting.RENDER_PLAYLIST, bind=True)
def render_playlist(self: Task, playlist_id: str) -> None:
    """Render what is wanted first; the playlist that was named waited when the call was sent."""
    logger.debug("called for playlist %s", playlist_id)
    queues = self.app.amqp.queues.consume_from
    rendering.render_next(worker=self.request.hostname, queues=tuple(queues))


@shared_task(name=requesting.SWEEP_PLAYLISTS)
def sweep_playlists() -> None:
    """Recover what broke; the scheduler sends this every few seconds."""
    requesting.sweep()


@worker_ready.connect
def begin(sender: Consumer, **_: object) -> None:
    """Show signs of life, and put the house in order after an earlier one."""
    # Several threads on few cores wait for each other: 137 ms a step against 24 ms with one.
    torch.set_num_threads(1)
    name = sender.hostname
    queues = _queues(sender)
    _pulses[name] = heartbeat.Pulse(name=name, device=_device(queues), queues=queues)
    _pulses[name].start()
    n_taken_back = requesting.take_back_from(worker=name)
    n_orphans = storage.remove_orphans()
    logger.info("took back %d playlists, removed %d orphan files", n_taken_back, n_orphans)


@worker_shutdown.connect
def end(**_: object) -> None:
    """Stop the signs of life of a worker that ends in good order."""
    while _pulses:
        _, pulse = _pulses.popitem()
        pulse.stop()


def _device(queues: str) -> str:
    """Return what this worker computes on, in words: a GPU only where it takes the GPU's calls."""
    if labour.GPU_QUEUE not in queues.split(","):
        return "cpu"
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu (no GPU found)"


def _queues(consumer: Consumer) -> str:
    return ",".join(sorted(consumer.app.amqp.queues.consume_from))
