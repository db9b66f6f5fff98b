"""The page that gets clients going: settings, keys, and whether the server answers them as they expect."""
