//! One line of a log: `{"v":1,"sum":"0a1b2c3d4e5f6071","data":{…}}`. The checksum is over the bytes of `data` as they stand there, so
//! that fields a later version adds do not count as damage.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Why a line cannot be read that is whole all the same: another version of this program reads it.
pub const FOREIGN: &[&str] = &[NEWER, UNKNOWN];
const NEWER: &str = "was written by a newer version";
const UNKNOWN: &str = "holds something this version does not know";

/// The version of the lines this program writes. It reads this one and all before it.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    v: u32,
    sum: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// A value as a line, its newline included.
///
/// # Errors
/// The value has no JSON form.
pub fn write<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let data = serde_json::value::to_raw_value(value)?;
    let sum = sum(data.get()).into();
    let mut line = serde_json::to_vec(&Envelope { v: VERSION, sum, data: &data })?;
    line.push(b'\n');
    Ok(line)
}

/// The value of a line, its newline excluded.
///
/// # Errors
/// Why it has none, in a few words.
pub fn read<T: DeserializeOwned>(line: &[u8]) -> Result<T, &'static str> {
    let envelope: Envelope = serde_json::from_slice(line).map_err(|_| "is torn or no line of this program's")?;
    if envelope.v == 0 {
        return Err("is torn or no line of this program's");
    }
    if envelope.v > VERSION {
        return Err(NEWER);
    }
    if envelope.sum != sum(envelope.data.get()) {
        return Err("has another checksum than it says");
    }
    serde_json::from_str(envelope.data.get()).map_err(|_| UNKNOWN)
}

/// The first eight bytes of SHA-256, in hexadecimal.
fn sum(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_back_and_a_changed_one_does_not() {
        let line = write(&vec!["a", "b"]).unwrap();
        let line = line.strip_suffix(b"\n").unwrap();
        assert_eq!(read::<Vec<String>>(line), Ok(vec!["a".to_owned(), "b".to_owned()]));
        for at in 0..line.len() {
            let mut changed = line.to_vec();
            changed[at] ^= 1;
            assert_ne!(read::<Vec<String>>(&changed), Ok(vec!["a".to_owned(), "b".to_owned()]), "byte {at}");
            assert!(read::<Vec<String>>(&line[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_newer_line_says_so() {
        let line = r#"{"v":2,"sum":"","data":[]}"#;
        assert_eq!(read::<Vec<String>>(line.as_bytes()), Err("was written by a newer version"));
    }
}
