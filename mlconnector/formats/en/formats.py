"""Dates and times as pages write them: short, unambiguous on both sides of the ocean."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y H:i"
TIME_FORMAT = "H:i"
