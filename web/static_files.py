from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashed and compressed files, with the imports between our ES modules hashed as well."""

    support_js_module_import_aggregation = True
