"""What browsers are told about every page: nothing inline, nothing from elsewhere, nobody may frame it."""

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

STATIC_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

# What is shown depends on who asks and whether htmx asks for a part; no cache may mix these up.
PAGE_HEADERS = STATIC_HEADERS | {
    "content-security-policy": CONTENT_POLICY,
    "cache-control": "no-store",
    "vary": "HX-Request, HX-Request-Type, Cookie, Accept-Language",
}
