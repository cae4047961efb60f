"""What a page asks of a job while it runs, whichever job it is."""

from django.http import JsonResponse

from studies.models.jobs import Job


def progress_of(job: Job) -> JsonResponse:
    """Return how far a job is, in the words and the form that `following.js` shows."""
    return JsonResponse(
        {
            "percent": round(100 * job.progress),
            "words": job.get_state_display(),
            "is_final": not job.is_under_way,
        }
    )
