from django.urls import path

from submission.livecheck import views

# <username:…> is registered in credentials.urls, under the same prefix.
app_name = "submission"
urlpatterns = [
    path("<username:username>/check/", views.check, name="check"),
    path("<username:username>/check/<uuid:run_id>/", views.check_run, name="check_run"),
]
