"""The addresses of bills."""

from django.urls import path

from syncs import views

app_name = "syncs"
urlpatterns = [
    path("", views.bills, name="bills"),
    path("<int:record_id>/", views.bill, name="bill"),
]
