def posted(request):
    """The fields of a POST, for a form that only asks or shows itself otherwise."""
    return request.POST if request.method == "POST" else None
