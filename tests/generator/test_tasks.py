import threading

import torch
from django.conf import settings

from generator import tasks
from generator.services.requesting import RENDER_PLAYLIST, SWEEP_PLAYLISTS


def test_the_doors_carry_the_names_that_others_send():
    assert tasks.render_playlist.name == RENDER_PLAYLIST
    assert tasks.sweep_playlists.name == SWEEP_PLAYLISTS


def test_the_scheduler_sends_sweeps_that_expire_before_the_next():
    entries = settings.CELERY_BEAT_SCHEDULE.values()
    (entry,) = [entry for entry in entries if entry["task"] == SWEEP_PLAYLISTS]
    assert entry["options"]["expires"] <= entry["schedule"]


def test_one_torch_thread_holds_for_threads_that_start_later():
    # The pool's threads are not the one that set it, and OpenMP keeps such settings by thread.
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(1)
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    torch.set_num_threads(before)
    assert seen == [1]
