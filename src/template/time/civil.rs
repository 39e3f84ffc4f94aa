//! The Gregorian calendar for every instant that Go can hold, which is far more than other calendars reach.

pub(super) const DAY_SECONDS: i64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01. Counting years from March puts the leap day last.
const MARCH_TO_EPOCH: i64 = 719_468;
const DAYS_IN_400_YEARS: i64 = 146_097;

/// The months' names.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The days' names, from Sunday.
pub(crate) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A date and time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: u32,
    /// From 1.
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    /// From 0, a Sunday.
    pub(crate) weekday: u32,
    /// From 1.
    pub(crate) day_of_year: u32,
}

impl Civil {
    /// Reads seconds since 1970-01-01.
    pub(super) fn of(seconds: i64) -> Self {
        let (days, second) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS) as u32);
        let (year, month, day) = date(days);
        Self {
            year,
            month,
            day,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
            // 1970-01-01 was a Thursday.
            weekday: (days + 4).rem_euclid(7) as u32,
            day_of_year: (days - days_to_month(year, 0, 0)) as u32 + 1,
        }
    }

    pub(super) fn second_of_day(&self) -> i64 {
        i64::from(self.hour * 3600 + self.minute * 60 + self.second)
    }
}

/// Days from 1970-01-01 to the first day of the month that lies `months` after `month` (from 0) of `year`.
pub(super) fn days_to_month(year: i64, month: i64, months: i64) -> i64 {
    let month = i128::from(month) + i128::from(months);
    let year = i128::from(year) + month.div_euclid(12);
    let month = month.rem_euclid(12) as i64;
    // From March on, months have 30.6 days on average, and the sum's whole part is right for each.
    let (year, from_march) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let days_before_month = i128::from((153 * from_march + 2) / 5);
    let days_before_year = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    (days_before_year + days_before_month - i128::from(MARCH_TO_EPOCH)) as i64
}

/// How many days the month (from 1) has.
pub(super) fn days_in_month(year: i64, month: u32) -> i64 {
    days_to_month(year, month.into(), 0) - days_to_month(year, i64::from(month) - 1, 0)
}

/// Year, month (from 1) and day (from 1) of a day counted from 1970-01-01.
fn date(days: i64) -> (i64, u32, u32) {
    let days = days + MARCH_TO_EPOCH;
    let (era, day) = (days.div_euclid(DAYS_IN_400_YEARS), days.rem_euclid(DAYS_IN_400_YEARS));
    // Leap days fall after 1460 days of four years, not after 36524 of a century, but after 146096 of four of them.
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day + 2) / 153;
    let day = day - (153 * from_march + 2) / 5;
    let month = (from_march + 2) % 12;
    (era * 400 + year + i64::from(month < 2), month as u32 + 1, day as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1799, 12, 31);
        for days in days_to_month(1800, 0, 0)..days_to_month(2200, 0, 0) {
            (year, month, day) = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                _ if i64::from(day) == days_in_month(year, month) => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
            assert_eq!(date(days), (year, month, day));
        }
    }

    #[test]
    fn known_days_have_their_numbers() {
        assert_eq!(days_to_month(1970, 0, 0), 0);
        assert_eq!(days_to_month(2000, 2, 0), 11_017);
        assert_eq!(days_to_month(1, 0, 0) * DAY_SECONDS, super::super::ZERO_SECONDS);
        assert_eq!(days_to_month(2026, 10, -22), days_to_month(2025, 0, 0));
        let leap_day = Civil::of(1_709_164_800 + 86_399);
        let shown = (leap_day.year, leap_day.month, leap_day.day, leap_day.weekday, leap_day.day_of_year);
        assert_eq!(shown, (2024, 2, 29, 4, 60));
        assert_eq!((leap_day.hour, leap_day.minute, leap_day.second), (23, 59, 59));
    }

    #[test]
    fn no_number_of_seconds_overflows() {
        for seconds in [i64::MIN, i64::MIN + 1, -1, i64::MAX] {
            assert!((1..=12).contains(&Civil::of(seconds).month));
        }
    }
}
