"""The addresses of connecting by redirect, and of webhooks; they are registered with providers."""

from django.urls import path

from connectors import views, webhooks

app_name = "connectors"
urlpatterns = [
    path("connect/callback/", views.callback, name="callback"),
    path("connect/<int:connection_id>/", views.connect, name="connect"),
    path("connect/<int:connection_id>/confirm/", views.confirm, name="confirm"),
    path("webhooks/<str:public_id>/", webhooks.webhook, name="webhook"),
]
