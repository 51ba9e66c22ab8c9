"""The teacher's pages about alignments, below `/course/`. `home` stands outside the namespace: everyone links to it."""

from django.urls import include, path

from alignments import (
    deeplink_views,
    exception_views,
    form_views,
    scheme_views,
    school_views,
    settings_views,
    template_views,
    views,
)

pages = [
    path("alignments/new/", form_views.create, name="create"),
    path("alignments/rule/", form_views.rule, name="rule"),
    path("alignments/class/", form_views.class_effect, name="class"),
    path("alignments/suggested/", views.suggested, name="suggested"),
    path("alignments/columns/", views.columns, name="columns"),
    path("alignments/<int:alignment_id>/", form_views.change, name="change"),
    path("alignments/<int:alignment_id>/exceptions/", exception_views.exceptions, name="exceptions"),
    path("alignments/<int:alignment_id>/delete/", form_views.delete, name="delete"),
    path("alignments/<int:alignment_id>/repair/", form_views.repair, name="repair"),
    path("outcomes/<int:outcome_id>/exclude/", views.exclude, name="exclude"),
    path("outcomes/<int:outcome_id>/include/", views.include, name="include"),
    path("schemes/", scheme_views.schemes, name="schemes"),
    path("schemes/school/", school_views.school_schemes, name="school-schemes"),
    path("schemes/school/set-up/", school_views.set_up, name="school-set-up"),
    path("templates/", template_views.templates, name="templates"),
    path("templates/save/", template_views.save, name="template-save"),
    path("templates/import/", template_views.import_file, name="template-import"),
    path("templates/<int:template_id>/", template_views.review, name="template"),
    path("templates/<int:template_id>/export/", template_views.export, name="template-export"),
    path("templates/<int:template_id>/rename/", template_views.rename, name="template-rename"),
    path("templates/<int:template_id>/delete/", template_views.delete, name="template-delete"),
    path("deep-link/", deeplink_views.pick, name="pick"),
    path("linked/<int:picked_id>/", deeplink_views.linked, name="linked"),
    path("settings/", settings_views.settings, name="settings"),
    path("settings/keywords/", settings_views.keywords, name="keywords"),
    path("settings/group/", settings_views.preferred_group, name="preferred-group"),
    path("settings/export/", settings_views.export, name="export"),
    path("settings/import/", settings_views.import_file, name="import"),
]
urlpatterns = [
    path("course/", views.home, name="home"),
    path("course/", include((pages, "alignments"))),
]
