(SELECT exported_at FROM "as of".moment)
