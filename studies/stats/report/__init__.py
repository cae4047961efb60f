"""The report of an analysis: one content, set as a page (HTML) and on paper (PDF).

    wording > blocks > drawing > flow, figures, tables, methods > composing > page | paper

Nothing here knows Django. Only workers and commands load it, for with it comes matplotlib.
"""
