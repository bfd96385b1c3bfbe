//! The trace that a request or an event belongs to, as W3C Trace Context says it.

use std::fmt;
use std::str::FromStr;

/// A `traceparent`: which trace, which span of it, and whether it is recorded. Travels in headers, as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: u128,
    parent_id: u64,
    flags: u8,
}

/// A text that is no `traceparent`: it is ignored, as W3C asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent")]
pub struct NoTraceParent;

impl TraceParent {
    /// The trace's id, 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.parent_id, self.flags)
    }
}

impl FromStr for TraceParent {
    type Err = NoTraceParent;

    /// Of later versions, what this one knows is read.
    fn from_str(text: &str) -> Result<TraceParent, NoTraceParent> {
        let mut fields = text.split('-');
        let mut field = |digits: usize| -> Result<u128, NoTraceParent> {
            let field = fields.next().filter(|field| field.len() == digits).ok_or(NoTraceParent)?;
            let is_hex = field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if is_hex { u128::from_str_radix(field, 16).map_err(|_| NoTraceParent) } else { Err(NoTraceParent) }
        };
        let (version, trace_id, parent_id, flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
        let is_known = version != 0xff && (version != 0 || fields.next().is_none());
        if !is_known || trace_id == 0 || parent_id == 0 {
            return Err(NoTraceParent);
        }
        let narrow = |_| NoTraceParent;
        Ok(TraceParent {
            trace_id,
            parent_id: u64::try_from(parent_id).map_err(narrow)?,
            flags: u8::try_from(flags).map_err(narrow)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn it_travels_as_it_came() {
        let parsed: TraceParent = GIVEN.parse().unwrap();
        assert_eq!(parsed.to_string(), GIVEN);
        assert_eq!(parsed.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let later = format!("{}-what-comes", GIVEN.replacen("00", "01", 1));
        assert_eq!(later.parse(), Ok(parsed), "of a later version, what is known");
    }

    #[test]
    fn nothing_else_is_one() {
        for odd in [
            "",
            "00",
            "'; DROP TABLE x",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(odd.parse::<TraceParent>(), Err(NoTraceParent), "{odd}");
        }
    }
}
