"""Visits and what is asked at them: calendar, answers, scores, corrections."""
