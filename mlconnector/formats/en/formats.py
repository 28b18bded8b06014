"""Dates and times as pages write them: short, with their zone, unambiguous on both sides of the ocean."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y H:i T"
TIME_FORMAT = "H:i"
