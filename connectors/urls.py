"""The addresses of connecting by redirect; the callback is registered with every provider."""

from django.urls import path

from connectors import views

app_name = "connectors"
urlpatterns = [
    path("callback/", views.callback, name="callback"),
    path("<int:connection_id>/", views.connect, name="connect"),
    path("<int:connection_id>/confirm/", views.confirm, name="confirm"),
]
