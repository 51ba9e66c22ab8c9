from django.urls import URLPattern, URLResolver

app_name = "canvas"
urlpatterns: list[URLPattern | URLResolver] = []
