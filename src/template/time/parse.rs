//! Text as a time, by a layout: Go's `time.Parse`, with its tolerance and its words.

mod scan;
mod zone;

use jiff::tz::TimeZone;
use watchbell_golang::quote::quote;

use super::layout::{Part, next_part};
use super::{MONTHS, Time, WEEKDAYS, Zone, civil};
use scan::{digits, name, ranged, skip, starts_fraction};

/// What was read so far.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanoseconds: i64,
    /// `AM` is false.
    afternoon: Option<bool>,
    utc: bool,
    /// Seconds east of Greenwich.
    offset: Option<i64>,
    zone_name: String,
}

/// Why a part did not fit.
enum Misfit {
    /// The text is not what the part stands for.
    Syntax,
    /// A number is too large or too small: what it counts.
    Range(&'static str),
}

impl Time {
    /// Go's `time.Parse`. Without a zone in `text` it is in UTC; `local` is the machine's zone.
    pub(crate) fn parse(layout: &str, text: &str, local: &TimeZone) -> Result<Self, String> {
        let mut fields = Fields::default();
        let (mut layout_left, mut left) = (layout, text);
        let cannot = |left: &str, part: &str| {
            let as_layout = format!("parsing time {} as {}", quote(text), quote(layout));
            format!("{as_layout}: cannot parse {} as {}", quote(left), quote(part))
        };
        while let Some((literal, part, written, after)) = next_part(layout_left) {
            left = skip(left, literal).map_err(|at| cannot(at, literal))?;
            left = fields.read(part, after, left).map_err(|misfit| match misfit {
                Misfit::Syntax => cannot(left, written),
                Misfit::Range(what) => out_of_range(text, what),
            })?;
            layout_left = after;
        }
        left = skip(left, layout_left).map_err(|at| cannot(at, layout_left))?;
        if !left.is_empty() {
            return Err(format!("parsing time {}: extra text: {}", quote(text), quote(left)));
        }
        fields.time(local).map_err(|what| out_of_range(text, what))
    }
}

fn out_of_range(text: &str, what: &str) -> String {
    format!("parsing time {}: {what} out of range", quote(text))
}

impl Fields {
    /// Reads one part from the start of `text` and returns what is left of it.
    fn read<'t>(&mut self, part: Part, after: &str, text: &'t str) -> Result<&'t str, Misfit> {
        let left;
        match part {
            Part::Year => (self.year, left) = digits(text, 4, 4)?,
            Part::YearTwoDigits => {
                let (year, rest) = digits(text, 2, 2)?;
                (self.year, left) = (if year >= 69 { year + 1900 } else { year + 2000 }, rest);
            }
            Part::LongMonth => left = self.month_name(text, usize::MAX)?,
            Part::ShortMonth => left = self.month_name(text, 3)?,
            Part::Month => left = self.month_number(text, 1)?,
            Part::MonthTwoDigits => left = self.month_number(text, 2)?,
            Part::LongWeekday => left = name(text, &WEEKDAYS, usize::MAX)?.1,
            Part::ShortWeekday => left = name(text, &WEEKDAYS, 3)?.1,
            Part::Day | Part::DaySpacePadded | Part::DayTwoDigits => left = self.day(part, text)?,
            Part::DayOfYear | Part::DayOfYearSpacePadded => left = self.day_of_year(part, text)?,
            Part::Hour => (self.hour, left) = ranged(text, 1, 0..=23, "hour")?,
            Part::Hour12 => (self.hour, left) = ranged(text, 1, 0..=12, "hour")?,
            Part::Hour12TwoDigits => (self.hour, left) = ranged(text, 2, 0..=12, "hour")?,
            Part::Minute => (self.minute, left) = ranged(text, 1, 0..=59, "minute")?,
            Part::MinuteTwoDigits => (self.minute, left) = ranged(text, 2, 0..=59, "minute")?,
            Part::Second => left = self.second(text, 1, after)?,
            Part::SecondTwoDigits => left = self.second(text, 2, after)?,
            Part::UpperNoon => left = self.noon(text, ["AM", "PM"])?,
            Part::LowerNoon => left = self.noon(text, ["am", "pm"])?,
            Part::Offset(form) if form.z_for_utc && text.starts_with('Z') => {
                (self.utc, left) = (true, &text[1..]);
            }
            Part::Offset(form) => {
                let (offset, rest) = zone::offset(text, form)?;
                (self.offset, left) = (Some(offset), rest);
            }
            Part::ZoneName => left = self.zone_name(text)?,
            Part::Fraction(count) => left = self.exact_fraction(text, count)?,
            Part::FractionTrimmed(_) if starts_fraction(text) => left = self.fraction(text)?,
            Part::FractionTrimmed(_) => left = text,
        }
        Ok(left)
    }

    fn month_name<'t>(&mut self, text: &'t str, length: usize) -> Result<&'t str, Misfit> {
        let (index, left) = name(text, &MONTHS, length)?;
        self.month = Some(index + 1);
        Ok(left)
    }

    fn month_number<'t>(&mut self, text: &'t str, least: usize) -> Result<&'t str, Misfit> {
        let (month, left) = ranged(text, least, 1..=12, "month")?;
        self.month = Some(month);
        Ok(left)
    }

    /// The day of the month. Whether the month has it is known at the end.
    fn day<'t>(&mut self, part: Part, text: &'t str) -> Result<&'t str, Misfit> {
        let padded = part == Part::DaySpacePadded && text.starts_with(' ');
        let least = if part == Part::DayTwoDigits { 2 } else { 1 };
        let (day, left) = digits(&text[usize::from(padded)..], least, 2)?;
        self.day = Some(day);
        Ok(left)
    }

    fn day_of_year<'t>(&mut self, part: Part, text: &'t str) -> Result<&'t str, Misfit> {
        let spaces = if part == Part::DayOfYear { 0 } else { text.bytes().take(2).take_while(|&b| b == b' ').count() };
        let width = 3 - spaces;
        let (day, left) = digits(&text[spaces..], width, width)?;
        self.day_of_year = Some(day);
        Ok(left)
    }

    /// The second, and a fraction after it that the layout does not name.
    fn second<'t>(&mut self, text: &'t str, least: usize, after: &str) -> Result<&'t str, Misfit> {
        let (second, left) = ranged(text, least, 0..=59, "second")?;
        self.second = second;
        let named = matches!(next_part(after), Some(("", Part::Fraction(_) | Part::FractionTrimmed(_), ..)));
        if named || !starts_fraction(left) { Ok(left) } else { self.fraction(left) }
    }

    /// A point and all digits after it.
    fn fraction<'t>(&mut self, text: &'t str) -> Result<&'t str, Misfit> {
        let count = text[1..].bytes().take_while(u8::is_ascii_digit).count();
        self.exact_fraction(text, count)
    }

    /// A point and `count` digits; digits beyond the ninth are dropped.
    fn exact_fraction<'t>(&mut self, text: &'t str, count: usize) -> Result<&'t str, Misfit> {
        let digits = text.get(1..=count).ok_or(Misfit::Syntax)?;
        if !text.starts_with(['.', ',']) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Misfit::Syntax);
        }
        let nine = format!("{:0<9}", &digits[..count.min(9)]);
        self.nanoseconds = nine.parse().map_err(|_| Misfit::Syntax)?;
        Ok(&text[1 + count..])
    }

    fn noon<'t>(&mut self, text: &'t str, names: [&str; 2]) -> Result<&'t str, Misfit> {
        let index = names.iter().position(|name| text.starts_with(name)).ok_or(Misfit::Syntax)?;
        self.afternoon = Some(index == 1);
        Ok(&text[2..])
    }

    fn zone_name<'t>(&mut self, text: &'t str) -> Result<&'t str, Misfit> {
        if let Some(left) = text.strip_prefix("UTC") {
            self.utc = true;
            return Ok(left);
        }
        let length = zone::name_length(text).ok_or(Misfit::Syntax)?;
        self.zone_name = text[..length].to_owned();
        Ok(&text[length..])
    }

    /// The time that the fields make, or what is out of range.
    fn time(mut self, local: &TimeZone) -> Result<Time, &'static str> {
        match self.afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        let days = self.days()?;
        let seconds = days * civil::DAY_SECONDS + self.hour * 3600 + self.minute * 60 + self.second;
        let (seconds, zone) = self.place(seconds, local);
        Ok(Time { seconds, nanoseconds: self.nanoseconds as u32, zone })
    }

    /// Days from 1970-01-01. A day of the year must agree with a month and a day.
    fn days(&self) -> Result<i64, &'static str> {
        let new_year = civil::days_to_month(self.year, 0, 0);
        let Some(day_of_year) = self.day_of_year else {
            let month = self.month.unwrap_or(1);
            let day = self.day.unwrap_or(1);
            if day < 1 || day > civil::days_in_month(self.year, month as u32) {
                return Err("day");
            }
            return Ok(civil::days_to_month(self.year, month - 1, 0) + day - 1);
        };
        if day_of_year < 1 || day_of_year > civil::days_to_month(self.year, 12, 0) - new_year {
            return Err("day-of-year");
        }
        Ok(new_year + day_of_year - 1)
    }

    /// The instant at which a clock of the zone that was read shows `seconds`, and that zone.
    fn place(&self, seconds: i64, local: &TimeZone) -> (i64, Zone) {
        let local_zone = Zone::Local(local.clone());
        if self.utc {
            return (seconds, Zone::Utc);
        }
        if let Some(offset) = self.offset {
            let instant = seconds - offset;
            let is_local = i64::from(local_zone.offset(instant)) == offset
                && (self.zone_name.is_empty() || local_zone.abbreviation(instant) == self.zone_name);
            let fixed = Zone::Fixed { abbreviation: self.zone_name.clone(), offset: offset as i32 };
            return (instant, if is_local { local_zone } else { fixed });
        }
        if self.zone_name.is_empty() {
            return (seconds, Zone::Utc);
        }
        if let Some(offset) = zone::offset_of_name(&local_zone, &self.zone_name, seconds) {
            return (seconds - i64::from(offset), local_zone);
        }
        let hours = self.zone_name.strip_prefix("GMT").and_then(|hours| hours.parse::<i32>().ok()).unwrap_or(0);
        // Go does not move the instant by these hours.
        (seconds, Zone::Fixed { abbreviation: self.zone_name.clone(), offset: hours * 3600 })
    }
}
