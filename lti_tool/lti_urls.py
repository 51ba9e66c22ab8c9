"""Addresses under `/lti/`; without trailing slashes, because platforms compare them to the letter."""

from django.urls import path

from lti_tool import notice_views, registration_views, views

app_name = "lti"
urlpatterns = [
    path("lti/login", views.login, name="login"),
    path("lti/login/<str:key>", views.login, name="login-for"),
    path("lti/cookie/<str:browser_hash>", views.cookie, name="cookie"),
    path("lti/launch", views.launch, name="launch"),
    path("lti/jwks.json", views.jwks, name="jwks"),
    path("lti/config.json", views.config, name="config"),
    path("lti/register", registration_views.register, name="register"),
    path("lti/notices", notice_views.notices, name="notices"),
    path("lti/names", views.names, name="names"),
    path("lti/signout", views.signout, name="signout"),
]
