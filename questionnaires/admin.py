from typing import Any

from django.contrib import admin

from questionnaires.models import Answer, ImportedInstrument, Response, Score, SiteWording


class ReadOnly:
    def has_add_permission(self, *_context: Any) -> bool:
        return False

    def has_change_permission(self, *_context: Any) -> bool:
        return False

    def has_delete_permission(self, *_context: Any) -> bool:
        return False


class AnswerInline(ReadOnly, admin.TabularInline):
    model = Answer
    extra = 0
    fields = ["item_key", "raw", "value", "answered_at", "elapsed_ms"]


class ScoreInline(ReadOnly, admin.TabularInline):
    model = Score
    extra = 0
    fields = ["rule_id", "name", "value", "n_missing", "flags"]


@admin.register(Response)
class ResponseAdmin(ReadOnly, admin.ModelAdmin):
    list_display = [
        "id",
        "instrument",
        "version",
        "language",
        "state",
        "revision",
        "author",
        "started_at",
        "submitted_at",
    ]
    list_filter = ["instrument", "state", "language", "rule_id"]
    search_fields = ["id"]
    date_hierarchy = "started_at"
    inlines = [ScoreInline, AnswerInline]


@admin.register(SiteWording)
class SiteWordingAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["instrument", "version", "language", "sha256", "loaded_at", "loaded_by"]
    list_filter = ["instrument", "language"]


@admin.register(ImportedInstrument)
class ImportedInstrumentAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["key", "version", "sha256", "source_name", "imported_at", "imported_by"]
    list_filter = ["key"]
