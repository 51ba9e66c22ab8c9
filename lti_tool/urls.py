"""The project's addresses. Each app adds its own in its `urls.py`; LTI's stand in `lti_urls.py`."""

from django.urls import include, path

from lti_tool import health, metrics

handler500 = "lti_tool.pages.broken"

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("lti_tool.lti_urls")),
    path("", include("canvas.urls")),
    path("", include("alignments.urls")),
    path("", include("grading.urls")),
]
