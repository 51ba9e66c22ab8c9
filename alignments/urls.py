from django.urls import URLPattern, URLResolver

app_name = "alignments"
urlpatterns: list[URLPattern | URLResolver] = []
