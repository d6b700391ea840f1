"""Where alerts go: each trouble is told once, and its end as well."""
