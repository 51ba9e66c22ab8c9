"""Addresses under `/canvas/`; administrators enter the callback in Canvas, so it has no trailing slash."""

from django.urls import path

from canvas import event_views, install_views, views

app_name = "canvas"
urlpatterns = [
    path("canvas/ticket", views.ticket, name="ticket"),
    path("canvas/authorize", views.authorize, name="authorize"),
    path("canvas/callback", views.callback, name="callback"),
    path("canvas/connection", views.connection, name="connection"),
    path("canvas/install", install_views.install, name="install"),
    path("canvas/events/<str:key>", event_views.events, name="events"),
    path("canvas/disconnect", views.disconnect, name="disconnect"),
]
