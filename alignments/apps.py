from django.apps import AppConfig


class AlignmentsConfig(AppConfig):
    name = "alignments"
    verbose_name = "Alignments"
