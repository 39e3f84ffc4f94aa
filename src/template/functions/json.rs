//! Values as JSON, as Go's encoder writes it with its escaping for HTML.

use super::{Fault, MAX_OUTPUT};
use crate::printf;
use crate::value::{Field, Shape, Value};

/// The JSON text of a value, without white space.
pub(crate) fn encode(value: &Value) -> Result<String, Fault> {
    let mut out = String::new();
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut String) -> Result<(), Fault> {
    if out.len() > MAX_OUTPUT {
        return Err(Fault::too_long());
    }
    if let Value::Time(time) = value {
        if !(0..=9999).contains(&time.civil().year) {
            let problem = "Time.MarshalJSON: year outside of range [0,9999]";
            return Err(format!("json: error calling MarshalJSON for type time.Time: {problem}").into());
        }
        write_text(&time.format("2006-01-02T15:04:05.999999999Z07:00"), out);
        return Ok(());
    }
    match value.shape() {
        Shape::Nil => out.push_str("null"),
        Shape::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Shape::Int(number) => out.push_str(&number.to_string()),
        Shape::Byte(number) => out.push_str(&number.to_string()),
        Shape::Float(number) => write_float(number, out)?,
        Shape::Text(text) => write_text(&text, out),
        Shape::List(items) => write_list(&items, out)?,
        Shape::Map(items) => write_map(&items, out)?,
        Shape::Struct(fields) | Shape::Pointer(fields) => write_struct(&fields, out)?,
        Shape::Opaque => out.push_str("{}"),
        Shape::Complex(..) => return Err("json: unsupported type: complex128".into()),
    }
    Ok(())
}

fn write_list(items: &[Value], out: &mut String) -> Result<(), Fault> {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        separate(index, out);
        write(item, out)?;
    }
    out.push(']');
    Ok(())
}

fn write_map(items: &[(Value, Value)], out: &mut String) -> Result<(), Fault> {
    out.push('{');
    for (index, (key, item)) in items.iter().enumerate() {
        separate(index, out);
        write(key, out)?;
        out.push(':');
        write(item, out)?;
    }
    out.push('}');
    Ok(())
}

fn write_struct(fields: &[Field], out: &mut String) -> Result<(), Fault> {
    out.push('{');
    for (index, field) in fields.iter().enumerate() {
        separate(index, out);
        write_text(field.json, out);
        out.push(':');
        write(&field.value, out)?;
    }
    out.push('}');
    Ok(())
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

/// A number as JavaScript writes it: with an exponent only if it is very small or very large.
fn write_float(number: f64, out: &mut String) -> Result<(), Fault> {
    if !number.is_finite() {
        return Err(format!("json: unsupported value: {}", printf::shortest_float(number)).into());
    }
    let magnitude = number.abs();
    if number == 0.0 || (1e-6..1e21).contains(&magnitude) {
        out.push_str(&number.to_string());
    } else {
        let text = format!("{number:e}");
        out.push_str(&if text.contains("e-") { text } else { text.replace('e', "e+") });
    }
    Ok(())
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_exponents_only_at_the_extremes() {
        let json = |number| encode(&Value::Float(number)).expect("a finite number");
        assert_eq!(json(0.0), "0");
        assert_eq!(json(1e-6), "0.000001");
        assert_eq!(json(9.5e-7), "9.5e-7");
        assert_eq!(json(123_456_789_012_345_680_000.0), "123456789012345680000");
        assert_eq!(json(1e21), "1e+21");
        assert!(encode(&Value::Float(f64::NAN)).is_err());
    }
}
