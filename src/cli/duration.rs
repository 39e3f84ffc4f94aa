//! Go durations, until `watchbell_golang` reads them.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    if text == "0" {
        return Ok(0);
    }
    let (neg, mut rest) = match text.strip_prefix('-') {
        Some(r) => (true, r),
        None => (false, text),
    };
    let mut sum = 0f64;
    while !rest.is_empty() {
        let n = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or("missing unit")?;
        let v: f64 = rest[..n].parse().map_err(|_| "bad")?;
        rest = &rest[n..];
        let u = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        sum += v * match &rest[..u] {
            "h" => 3600e9,
            "m" => 60e9,
            "s" => 1e9,
            "ms" => 1e6,
            _ => return Err("unknown unit".into()),
        };
        rest = &rest[u..];
    }
    Ok(if neg { -sum as i64 } else { sum as i64 })
}
