"""The teacher's pages about grades, below `/course/`. A student in an address is a place in a preview."""

from django.urls import include, path

from grading import check_views, forget_views, preview_views, student_views, views

pages = [
    path("preview/", views.preview, name="preview"),
    path("preview/start/", views.start, name="start"),
    path("preview/summary/", views.summary, name="summary"),
    path("check/", check_views.check, name="check"),
    path("check/results/", check_views.results, name="check-results"),
    path("check/write-test/", check_views.write_test, name="write-test"),
    path("settings/forget/", forget_views.forget_course, name="forget"),
    path("runs/", views.history, name="history"),
    path("runs/<int:number>/", views.show, name="run"),
    path("runs/<int:number>/progress/", views.progress, name="progress"),
    path("runs/<int:number>/choices/", preview_views.choices, name="choices"),
    path("runs/<int:number>/send-bar/", preview_views.send_bar, name="send-bar"),
    path("runs/<int:number>/send/", preview_views.send, name="send"),
    path("runs/<int:number>/discard/", preview_views.discard, name="discard"),
    path("runs/<int:number>/stop/", views.stop, name="stop"),
    path("runs/<int:number>/undo/", views.undo, name="undo"),
    path("runs/<int:number>/csv/", preview_views.csv_file, name="csv"),
    path("runs/<int:number>/report-csv/", views.report_csv, name="report-csv"),
    path("runs/<int:number>/students/<int:place>/", student_views.student, name="student"),
    path(
        "runs/<int:number>/students/<int:place>/exception/", student_views.exception, name="student-exception"
    ),
]
urlpatterns = [path("course/", include((pages, "grading")))]
