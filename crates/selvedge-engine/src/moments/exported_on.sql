(SELECT exported_on FROM "as of".moment)
