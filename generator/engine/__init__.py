"""The composing engine: a brief goes in, a rendering comes out (`pipeline.render`).

Nothing below this line knows Django, Celery, a database or a person.
"""
