//! Go's layouts: a text in which the parts of `Mon Jan 2 15:04:05 MST 2006` stand for those of another time.

/// A part of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    LongMonth,
    ShortMonth,
    Month,
    MonthTwoDigits,
    LongWeekday,
    ShortWeekday,
    Day,
    DaySpacePadded,
    DayTwoDigits,
    DayOfYearSpacePadded,
    DayOfYear,
    Hour,
    Hour12,
    Hour12TwoDigits,
    Minute,
    MinuteTwoDigits,
    Second,
    SecondTwoDigits,
    Year,
    YearTwoDigits,
    UpperNoon,
    LowerNoon,
    ZoneName,
    Offset(Offset),
    /// A point or comma with this many digits after it.
    Fraction(usize),
    /// The same, without zeros at its end.
    FractionTrimmed(usize),
}

/// How a zone's offset is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset {
    /// Whether UTC is `Z`.
    pub(super) z_for_utc: bool,
    pub(super) colons: bool,
    pub(super) minutes: bool,
    pub(super) seconds: bool,
}

/// Splits `layout` at its first part: the literal text before it, the part, its own text and the rest.
pub(super) fn next_part(layout: &str) -> Option<(&str, Part, &str, &str)> {
    layout.char_indices().find_map(|(at, _)| {
        let (literal, rest) = layout.split_at(at);
        // `_2006` is a literal underscore before a year.
        if rest.starts_with("_2006") {
            return None;
        }
        let (part, length) = part(rest)?;
        Some((literal, part, &rest[..length], &rest[length..]))
    })
}

/// The part at the start of `rest`, with its length.
fn part(rest: &str) -> Option<(Part, usize)> {
    const TABLE: [(&str, Part); 23] = [
        ("January", Part::LongMonth),
        ("Monday", Part::LongWeekday),
        ("MST", Part::ZoneName),
        ("002", Part::DayOfYear),
        ("01", Part::MonthTwoDigits),
        ("02", Part::DayTwoDigits),
        ("03", Part::Hour12TwoDigits),
        ("04", Part::MinuteTwoDigits),
        ("05", Part::SecondTwoDigits),
        ("06", Part::YearTwoDigits),
        ("15", Part::Hour),
        ("1", Part::Month),
        ("2006", Part::Year),
        ("2", Part::Day),
        ("__2", Part::DayOfYearSpacePadded),
        ("_2", Part::DaySpacePadded),
        ("3", Part::Hour12),
        ("4", Part::Minute),
        ("5", Part::Second),
        ("PM", Part::UpperNoon),
        ("pm", Part::LowerNoon),
        ("Jan", Part::ShortMonth),
        ("Mon", Part::ShortWeekday),
    ];
    if let Some(found) = fraction(rest).or_else(|| offset(rest)) {
        return Some(found);
    }
    let (name, part) = TABLE.into_iter().find(|(name, _)| rest.starts_with(name))?;
    let is_word = matches!(part, Part::ShortMonth | Part::ShortWeekday);
    let continues = rest[name.len()..].starts_with(|c: char| c.is_ascii_lowercase());
    (!(is_word && continues)).then_some((part, name.len()))
}

/// `.000`, `,000`, `.999` or `,999`, not before another digit.
fn fraction(rest: &str) -> Option<(Part, usize)> {
    let digits = rest.strip_prefix(['.', ','])?;
    let digit = digits.chars().next().filter(|c| ['0', '9'].contains(c))?;
    let after = digits.trim_start_matches(digit);
    if after.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let count = digits.len() - after.len();
    let part = if digit == '0' { Part::Fraction(count) } else { Part::FractionTrimmed(count) };
    Some((part, count + 1))
}

/// `-0700` or `Z0700`, with or without colons, minutes and seconds.
fn offset(rest: &str) -> Option<(Part, usize)> {
    const FORMS: [(&str, bool, bool, bool); 5] = [
        ("070000", false, true, true),
        ("07:00:00", true, true, true),
        ("0700", false, true, false),
        ("07:00", true, true, false),
        ("07", false, false, false),
    ];
    let digits = rest.strip_prefix(['-', 'Z'])?;
    let (form, colons, minutes, seconds) = FORMS.into_iter().find(|(form, ..)| digits.starts_with(form))?;
    let offset = Offset { z_for_utc: rest.starts_with('Z'), colons, minutes, seconds };
    Some((Part::Offset(offset), form.len() + 1))
}
