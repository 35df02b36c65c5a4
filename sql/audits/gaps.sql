/*---
name: gaps
description: Days without events, where the days around have many; labels and counts are read off what is not there.
severity: warn
---*/
SELECT source, kind, last_before, first_after, days, usual_before, usual_after FROM split.gaps
