//! Whether a value is a secret, going by what it looks like and by how strongly its name says so.
//!
//! Code is full of names such as `token` and `password` with types, calls and other names behind them. Data is not: what stands
//! there is the thing itself. So the form decides how much a value has to look like a secret.

use super::scan::MARK;

/// How strongly a name says that a secret stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A password, which a person may have thought up.
    Password,
    /// A key or a token, which a machine made.
    Key,
    /// Something like `STRIPE_KEY`, which may be the key of a map as well.
    Maybe,
}

/// In what surroundings a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `NAME=value`, in capitals.
    Environment,
    /// `"name": "value"`.
    Data,
    /// `name = "value"`: code, or a configuration.
    Quoted,
    /// `name: value`, likewise.
    Bare,
    /// `--name value`, `the name is value`.
    Words,
}

/// What people write where a secret would stand.
const PLACEHOLDERS: &[&str] = &[
    "string",
    "str",
    "null",
    "none",
    "nil",
    "true",
    "false",
    "undefined",
    "required",
    "optional",
    "password",
    "passwd",
    "secret",
    "token",
    "hidden",
    "masked",
    "redacted",
    "example",
    "changeme",
    "placeholder",
    "process.env",
    "os.environ",
];

/// How types, algorithms and forms of text are called: they hold digits and are no secrets.
const TYPES: &[&str] = &[
    "int", "uint", "float", "sha", "md5", "base", "utf", "ed25519", "secp", "rsa", "aes", "x86", "argon", "hmac",
    "p256",
];

/// Whether a value says that the secret is elsewhere.
#[must_use]
pub fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let of_one_sign = value.chars().next().is_none_or(|first| value.chars().all(|c| c == first));
    value.starts_with(['$', '<', '{', '%', '`', '(', '&', '*', '…']) && !value.ends_with(|c: char| c.is_ascii_digit())
        || value.starts_with("...")
        || of_one_sign
        || value.contains(MARK)
        || lower.starts_with("your")
        || PLACEHOLDERS.contains(&lower.as_str())
}

/// Whether `value`, behind a name of this class, is a secret.
#[must_use]
pub fn is_secret(value: &str, class: Class, form: Form) -> bool {
    if is_placeholder(value) {
        return false;
    }
    let length = value.len();
    let has = |such: fn(char) -> bool| value.chars().any(such);
    let digit = has(|c| c.is_ascii_digit());
    let letter = has(char::is_alphabetic);
    let sign = has(|c| c.is_ascii_punctuation() && !matches!(c, '-' | '_' | '.' | ':' | ',' | '/'));
    let mixed = digit && letter;
    let spaced = has(char::is_whitespace);
    let long = length >= 40 && !spaced;
    match (class, form) {
        (Class::Password, Form::Environment) => length >= 6 && !is_code(value),
        (Class::Password, Form::Data) => length >= 6 && !spaced || length >= 8 && digit && spaced,
        (Class::Password, Form::Quoted) => length >= 6 && !spaced && letter && (digit || sign),
        (Class::Password, Form::Bare) => {
            !spaced && letter && (digit && length >= 7 || sign && length >= 8) && !is_code(value)
        }
        (Class::Password, Form::Words) => length >= 6 && letter && (digit || sign) && !is_code(value),
        (Class::Key, Form::Environment) => !spaced && (mixed && length >= 6 || length >= 20) && !is_code(value),
        (Class::Key, Form::Data) => !spaced && (mixed && length >= 8 || length >= 20) && !is_wordy(value),
        (Class::Key, Form::Quoted) => !spaced && (mixed && length >= 12 || long) && !is_wordy(value),
        (Class::Key, Form::Bare | Form::Words) => {
            !spaced
                && (mixed && length >= 12 && changes(value) >= 2 || long && mixed)
                && !is_wordy(value)
                && !is_code(value)
        }
        (Class::Maybe, Form::Environment) => {
            !spaced && mixed && length >= 16 && changes(value) >= 3 && !is_wordy(value) && !is_code(value)
        }
        (Class::Maybe, _) => false,
    }
}

/// How often letters and digits take turns. Words with a number change once.
fn changes(value: &str) -> usize {
    let kinds: Vec<bool> = value.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.is_ascii_digit()).collect();
    kinds.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

/// Whether a value is a path, an address, a call, a type, or one of the names that hold a secret.
fn is_code(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let names = ["password", "passwd", "secret", "token", "api_key", "apikey", "credential"];
    value.starts_with(['/', '~', '.', '-', '[', '#', '@'])
        || value.contains("://")
        || value.contains("::")
        || value.contains('(')
        || names.iter().any(|name| lower.contains(name))
        || (value.len() <= 10 && TYPES.iter().any(|name| lower.starts_with(name)))
        // A field of something: names with dots between them.
        || (value.contains('.') && value.split('.').all(|part| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && changes(part) <= 1))
}

/// Whether a value is made of words and small numbers, as names of things are.
fn is_wordy(value: &str) -> bool {
    let is_word = |part: &str| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        digits == 0 || (digits == part.len() && digits <= 4) || (part.len() <= 4 && digits <= 2)
    };
    value.contains(['-', '_', '.', '/', ' ']) && value.split(['-', '_', '.', '/', ' ', ':']).all(is_word)
}
