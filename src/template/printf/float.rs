//! Floating-point and complex numbers under their verbs.

use super::Output;
use super::spec::Spec;

/// A number's decimal digits without trailing zeros, and the power of ten of the first one.
struct Decimal {
    digits: String,
    exponent: i32,
}

/// From which power of ten on the shortest form of a number has an exponent.
const SHORTEST_LIMIT: i32 = 6;

/// A number as `%v` prints it.
pub(crate) fn shortest(value: f64) -> String {
    let formatted = Spec::plain('v').signed_float(value);
    formatted.strip_prefix('+').unwrap_or(&formatted).to_owned()
}

impl Spec {
    /// A float; false if the verb does not print floats.
    pub(super) fn float(&self, value: f64, out: &mut Output) -> bool {
        let known = matches!(self.verb, 'v' | 'b' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'x' | 'X');
        if known {
            self.pad_float(&self.signed_float(value), value.is_finite(), out);
        }
        known
    }

    /// A complex number; false if the verb does not print them.
    pub(super) fn complex(&self, real: f64, imaginary: f64, out: &mut Output) -> bool {
        let known = matches!(self.verb, 'v' | 'b' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'x' | 'X');
        if known {
            out.push("(");
            self.float(real, out);
            Self { plus: true, ..self.clone() }.float(imaginary, out);
            out.push("i)");
        }
        known
    }

    /// Shows the sign if it is asked for, and pads; zeros go between sign and digits.
    fn pad_float(&self, signed: &str, is_finite: bool, out: &mut Output) {
        let (sign, digits) = signed.split_at(1);
        let sign = match sign {
            "+" if self.plus || digits == "Inf" && !self.space => "+",
            "+" if self.space => " ",
            "+" => "",
            minus => minus,
        };
        match self.width {
            Some(width) if self.zero && !self.minus && is_finite => {
                let width = width.saturating_sub(sign.len());
                out.push(&format!("{sign}{digits:0>width$}"));
            }
            _ => self.pad_with_spaces(&format!("{sign}{digits}"), out),
        }
    }

    /// The number with its sign, `+` included.
    fn signed_float(&self, value: f64) -> String {
        let sign = if value.is_sign_negative() && !value.is_nan() { '-' } else { '+' };
        if !value.is_finite() {
            return format!("{sign}{}", if value.is_nan() { "NaN" } else { "Inf" });
        }
        let magnitude = value.abs();
        let text = match self.verb {
            'b' => binary(magnitude),
            'e' | 'E' => exponential(magnitude, Some(self.precision.unwrap_or(6))),
            'f' | 'F' => format!("{magnitude:.*}", self.precision.unwrap_or(6)),
            'x' | 'X' => hexadecimal(magnitude, self.precision),
            _ => general(magnitude, self.precision),
        };
        let text = if self.sharp && self.verb != 'b' { self.with_point(&text) } else { text };
        let upper = matches!(self.verb, 'E' | 'G' | 'X');
        format!("{sign}{}", if upper { text.to_ascii_uppercase() } else { text })
    }

    /// With `#` there is always a point, and `%g` keeps its zeros.
    fn with_point(&self, text: &str) -> String {
        let exponent = if matches!(self.verb, 'x' | 'X') { 'p' } else { 'e' };
        let at = text.find(exponent).unwrap_or(text.len());
        let (mantissa, tail) = text.split_at(at);
        let wanted = match self.verb {
            'v' | 'g' | 'G' | 'x' | 'X' => self.precision.unwrap_or(6),
            _ => 0,
        };
        let digits = mantissa.strip_prefix("0x").unwrap_or(mantissa);
        let significant = digits.trim_start_matches(['0', '.']).chars().filter(|&c| c != '.').count();
        let point = if mantissa.contains('.') { "" } else { "." };
        let shown = if magnitude_is_zero(digits) { 1 } else { significant };
        format!("{mantissa}{point}{}{tail}", "0".repeat(wanted.saturating_sub(shown)))
    }
}

fn magnitude_is_zero(digits: &str) -> bool {
    digits.chars().all(|c| c == '0' || c == '.')
}

/// `%g`: the shortest digits that read back as the number, or as many as the precision says.
fn general(magnitude: f64, precision: Option<usize>) -> String {
    let wanted = precision.map(|precision| precision.max(1));
    let decimal = decimal(magnitude, wanted);
    let count = decimal.digits.len() as i32;
    let limit = match wanted {
        None => SHORTEST_LIMIT,
        Some(wanted) if wanted as i32 > count && count > decimal.exponent => count,
        Some(wanted) => wanted as i32,
    };
    if decimal.exponent < -4 || decimal.exponent >= limit {
        return exponential(magnitude, Some(decimal.digits.len() - 1));
    }
    let fraction = (count - 1 - decimal.exponent).max(0) as usize;
    positional(&decimal, fraction)
}

/// The digits with a point where the exponent says, and `fraction` digits after it.
fn positional(decimal: &Decimal, fraction: usize) -> String {
    let whole = decimal.exponent + 1;
    let mut digits = "0".repeat(usize::try_from(1 - whole).unwrap_or(0));
    digits.push_str(&decimal.digits);
    let whole = usize::try_from(whole.max(1)).unwrap_or(1);
    let digits = format!("{digits:0<width$}", width = whole + fraction);
    if fraction == 0 { digits } else { format!("{}.{}", &digits[..whole], &digits[whole..]) }
}

fn decimal(magnitude: f64, digits: Option<usize>) -> Decimal {
    let text = match digits {
        Some(digits) => format!("{magnitude:.*e}", digits - 1),
        None => format!("{magnitude:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').expect("an exponential number has an exponent");
    let digits = mantissa.replace('.', "");
    let trimmed = digits.trim_end_matches('0');
    let digits = if trimmed.is_empty() { "0" } else { trimmed }.to_owned();
    Decimal { digits, exponent: exponent.parse().expect("an exponent is a number") }
}

/// `%e`, with an exponent of at least two digits.
fn exponential(magnitude: f64, precision: Option<usize>) -> String {
    let text = format!("{magnitude:.*e}", precision.unwrap_or(6));
    let (mantissa, exponent) = text.split_once('e').expect("an exponential number has an exponent");
    let exponent: i32 = exponent.parse().expect("an exponent is a number");
    format!("{mantissa}e{}", signed_exponent(exponent))
}

fn signed_exponent(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{:02}", exponent.abs())
}

/// The 53 bits of a number's mantissa and the power of two of the last one.
fn mantissa(magnitude: f64) -> (u64, i32) {
    let bits = magnitude.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

/// `%b`: the mantissa as an integer, and the power of two.
fn binary(magnitude: f64) -> String {
    let (mantissa, exponent) = mantissa(magnitude);
    format!("{mantissa}p{exponent:+}")
}

/// `%x`: the mantissa in base 16 with one digit before the point, and the power of two.
fn hexadecimal(magnitude: f64, precision: Option<usize>) -> String {
    const FRACTION_DIGITS: usize = 13;
    let (mut bits, mut exponent) = mantissa(magnitude);
    if bits == 0 {
        exponent = -52;
    }
    while bits != 0 && bits < 1 << 52 {
        bits <<= 1;
        exponent -= 1;
    }
    if let Some(dropped) = precision.and_then(|precision| FRACTION_DIGITS.checked_sub(precision)) {
        bits = round_half_even(bits, 4 * dropped as u32);
    }
    if bits >= 1 << 53 {
        bits >>= 1;
        exponent += 1;
    }
    let fraction = format!("{:013x}", bits & ((1 << 52) - 1));
    let fraction = match precision {
        Some(precision) => format!("{fraction:0<precision$}")[..precision].to_owned(),
        None => fraction.trim_end_matches('0').to_owned(),
    };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("0x{}{point}{fraction}p{}", bits >> 52, signed_exponent(exponent + 52))
}

/// The number with its last `dropped` bits rounded away, to the even neighbour in the middle.
fn round_half_even(bits: u64, dropped: u32) -> u64 {
    if dropped == 0 {
        return bits;
    }
    let (kept, rest, half) = (bits >> dropped, bits & ((1 << dropped) - 1), 1 << (dropped - 1));
    let up = rest > half || (rest == half && kept & 1 == 1);
    (kept + u64::from(up)) << dropped
}
