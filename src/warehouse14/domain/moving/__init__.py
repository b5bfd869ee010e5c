"""Taking a whole site elsewhere: what it knows and its blobs, to other stores or into an archive."""
