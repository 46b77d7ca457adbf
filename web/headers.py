"""Headers of every response, static files and errors included."""

from functools import wraps

from django.conf import settings

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
# The one page with an image in a data: URL: the QR code holds a secret, so it has no URL of its own.
QR_CODE = "mfa_activate_totp"

# The page whose URL is itself a secret: a browser repeats it to nobody, not even to us.
WITHOUT_REFERRER = "hand_over"

OFF = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "clipboard-read",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
OURS = ("clipboard-write", "publickey-credentials-create", "publickey-credentials-get")


def _joined(policy: dict[str, str]) -> str:
    return "; ".join(f"{name} {source}" for name, source in policy.items())


CONTENT_SECURITY_POLICY = _joined(_POLICY)
# A file is no page: opened as one, it may load nothing at all.
_OF_FILES = _joined({"default-src": "'none'", "frame-ancestors": "'none'"})
_WITH_QR_CODE = _joined(_POLICY | {"img-src": "'self' data:"})

PERMISSIONS_POLICY = ", ".join([*(f"{name}=()" for name in OFF), *(f"{name}=(self)" for name in OURS)])
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SecurityHeadersMiddleware:
    """Add the headers and keep pages out of every cache.

    Comes first: the redirect to https and the refusal of a wrong Host need them too. Static files keep
    WhiteNoise's Cache-Control.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        found = request.resolver_match
        has_qr_code = found is not None and found.url_name == QR_CODE
        is_file = request.path.startswith(settings.STATIC_URL) and response.status_code == 200
        policy = _OF_FILES if is_file else _WITH_QR_CODE if has_qr_code else CONTENT_SECURITY_POLICY
        response.headers["Content-Security-Policy"] = policy
        for name, value in HEADERS.items():
            response.headers[name] = value
        if found is not None and found.view_name == WITHOUT_REFERRER:
            response.headers["Referrer-Policy"] = "no-referrer"
        # It only affects documents; with the 20 files of a page it would weigh as much as htmx.
        if not is_file:
            response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response


def forgotten_by_browser(sign_out):
    """Decorate a view that signs out, so that no page comes back by the Back button or from the disk.

    Cookies stay: the message that follows and the sign-in form need a session.
    """

    @wraps(sign_out)
    def view(request, *args, **kwargs):
        was_signed_in = request.user.is_authenticated
        response = sign_out(request, *args, **kwargs)
        if was_signed_in and request.user.is_anonymous:
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    return view
