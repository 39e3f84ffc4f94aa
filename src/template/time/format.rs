//! Times as text, by a layout.

use super::layout::{Offset, Part, next_part};
use super::{Civil, MONTHS, Time, WEEKDAYS, Zone};

impl Time {
    /// Go's `Time.Format`.
    pub(crate) fn format(&self, mut layout: &str) -> String {
        let civil = self.civil();
        let mut out = String::new();
        while let Some((literal, part, written, rest)) = next_part(layout) {
            out.push_str(literal);
            out.push_str(&self.part(part, written, &civil));
            layout = rest;
        }
        out + layout
    }

    /// Go's `Time.String`.
    pub(crate) fn string(&self) -> String {
        self.format("2006-01-02 15:04:05.999999999 -0700 MST")
    }

    /// Go's `Time.GoString`.
    pub(crate) fn go_string(&self) -> String {
        let Civil { year, month, day, hour, minute, second, .. } = self.civil();
        let month = MONTHS[month as usize - 1];
        let zone = match &self.zone {
            Zone::Utc => "time.UTC".to_owned(),
            Zone::Local(_) => "time.Local".to_owned(),
            other => format!("time.Location({})", watchbell_golang::quote::quote(&other.name())),
        };
        format!("time.Date({year}, time.{month}, {day}, {hour}, {minute}, {second}, {}, {zone})", self.nanoseconds)
    }

    fn part(&self, part: Part, written: &str, civil: &Civil) -> String {
        let &Civil { year, month, day, hour, minute, second, weekday, day_of_year } = civil;
        let hour12 = (hour + 11) % 12 + 1;
        match part {
            Part::LongMonth => MONTHS[month as usize - 1].into(),
            Part::ShortMonth => MONTHS[month as usize - 1][..3].into(),
            Part::Month => month.to_string(),
            Part::MonthTwoDigits => format!("{month:02}"),
            Part::LongWeekday => WEEKDAYS[weekday as usize].into(),
            Part::ShortWeekday => WEEKDAYS[weekday as usize][..3].into(),
            Part::Day => day.to_string(),
            Part::DaySpacePadded => format!("{day:2}"),
            Part::DayTwoDigits => format!("{day:02}"),
            Part::DayOfYearSpacePadded => format!("{day_of_year:3}"),
            Part::DayOfYear => format!("{day_of_year:03}"),
            Part::Hour => format!("{hour:02}"),
            Part::Hour12 => hour12.to_string(),
            Part::Hour12TwoDigits => format!("{hour12:02}"),
            Part::Minute => minute.to_string(),
            Part::MinuteTwoDigits => format!("{minute:02}"),
            Part::Second => second.to_string(),
            Part::SecondTwoDigits => format!("{second:02}"),
            Part::Year if year < 0 => format!("-{:04}", year.unsigned_abs()),
            Part::Year => format!("{year:04}"),
            Part::YearTwoDigits => format!("{:02}", year.rem_euclid(100)),
            Part::UpperNoon => if hour < 12 { "AM" } else { "PM" }.into(),
            Part::LowerNoon => if hour < 12 { "am" } else { "pm" }.into(),
            Part::ZoneName => self.zone_name(),
            Part::Offset(form) => offset(self.zone.offset(self.seconds), form),
            Part::Fraction(digits) => self.fraction(&written[..1], digits),
            Part::FractionTrimmed(digits) => {
                let text = self.fraction(&written[..1], digits);
                text.trim_end_matches('0').trim_end_matches(['.', ',']).into()
            }
        }
    }

    /// The zone's abbreviation, or its offset if it has none.
    fn zone_name(&self) -> String {
        let name = self.zone.abbreviation(self.seconds);
        if !name.is_empty() {
            return name;
        }
        let form = Offset { z_for_utc: false, colons: false, minutes: true, seconds: false };
        offset(self.zone.offset(self.seconds), form)
    }

    /// The first digits of the fraction of the second; there are nine.
    fn fraction(&self, point: &str, digits: usize) -> String {
        let nanoseconds = format!("{:09}", self.nanoseconds);
        format!("{point}{}", &nanoseconds[..digits.min(9)])
    }
}

fn offset(seconds: i32, form: Offset) -> String {
    if form.z_for_utc && seconds == 0 {
        return "Z".into();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let colon = if form.colons { ":" } else { "" };
    let seconds = seconds.unsigned_abs();
    let mut text = format!("{sign}{:02}", seconds / 3600);
    if form.minutes {
        text.push_str(&format!("{colon}{:02}", seconds / 60 % 60));
    }
    if form.seconds {
        text.push_str(&format!("{colon}{:02}", seconds % 60));
    }
    text
}
