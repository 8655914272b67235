"""Writes xnys_exceptions.csv: the weekdays on which the New York Stock Exchange is closed or closes early.

Source: the PyPI package exchange_calendars (calendar XNYS). Run with

    pip install exchange_calendars==4.13.2
    python3 crates/data/calendars/make_xnys.py

Every weekday that is not listed is a session from 09:30 to 16:00 New York time. Dates that the exchange has not yet
announced follow from the rules of the package; run the script again when it announces others.
"""

import csv
import pathlib

import exchange_calendars
import pandas

FIRST = "1970-01-01"
LAST = "2030-12-31"
OPEN_LOCAL = "09:30"
CLOSE_LOCAL = "16:00"
TARGET = pathlib.Path(__file__).with_name("xnys_exceptions.csv")


def rows():
    schedule = exchange_calendars.get_calendar("XNYS", start=FIRST, end=LAST).schedule
    local = {name: schedule[name].dt.tz_convert("America/New_York").dt.strftime("%H:%M") for name in ("open", "close")}
    assert (local["open"] == OPEN_LOCAL).all(), "a late open has no place in this file yet"
    assert (schedule.index.day_of_week < 5).all(), "a weekend session has no place in this file yet"
    yield FIRST, "first_date", ""
    for day in pandas.bdate_range(FIRST, LAST):
        if day not in schedule.index:
            yield day.strftime("%Y-%m-%d"), "closed", ""
        elif local["close"][day] != CLOSE_LOCAL:
            yield day.strftime("%Y-%m-%d"), "early_close", local["close"][day]
    yield LAST, "last_date", ""


with TARGET.open("w", newline="", encoding="ascii") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("date", "kind", "close_local"))
    writer.writerows(rows())
