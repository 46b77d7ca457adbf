from django.urls import path

from domains.activity import views

app_name = "audit"
urlpatterns = [
    path("", views.activity, name="activity"),
    path("export/", views.export, name="export"),
]
