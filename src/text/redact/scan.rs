//! What all that look for secrets share.

/// What stands where a secret stood.
pub const MARK: &str = "[redacted]";

/// How many bytes at the begin of `bytes` are such.
pub fn run(bytes: &[u8], is_such: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is_such(**byte)).count()
}
