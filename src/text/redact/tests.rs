use super::*;

#[test]
fn secrets_go_and_the_rest_stays() {
    for (text, clean) in [
        ("nothing to see", "nothing to see"),
        ("key sk-proj-abcdefghij0123456789, ok", "key [redacted], ok"),
        ("task-abcdefghij0123456789 is no key", "task-abcdefghij0123456789 is no key"),
        ("sk-short", "sk-short"),
        ("\"ghp_0123456789abcdefghijklmnop\"", "\"[redacted]\""),
        ("AKIAIOSFODNN7EXAMPLE", "[redacted]"),
        ("authorization: Bearer abcdef0123456789abcdef", "authorization: Bearer [redacted]"),
        ("Bearer of bad news", "Bearer of bad news"),
        ("my-own-pass and my-own-pass", "[redacted] and [redacted]"),
        (r#"{"a":"x\nsk-abcdefghij0123456789\n"}"#, r#"{"a":"x\n[redacted]\n"}"#),
        (r#""\u003cAKIAIOSFODNN7EXAMPLE""#, r#""\u003c[redacted]""#),
        ("é sk-ééééééééééééééééé é", "é sk-ééééééééééééééééé é"),
    ] {
        assert_eq!(redact(text, &["my-own-pass", "ad"]), clean);
    }
}

#[test]
fn overlapping_secrets_leave_one_mark() {
    let secret = "sk-abcdefghij0123456789";
    assert_eq!(redact(&format!("Bearer {secret}!"), &[secret, "abcdefghij"]), "Bearer [redacted]!");
}

const PEM: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\nQyNTUxOQAAACDZ0WvMrcfBLbAf1n4Yx0fUIhhR9BcXQmO8BwLkVPXQSgAAAJhQ8bPwUPGz\nAAAEAQIDBA==\n-----END OPENSSH PRIVATE KEY-----";

/// A text, what of it is secret, and what must be left.
const SECRETS: &[(&str, &str)] = &[
    // JSON and what looks like it, quotes escaped or not.
    (r#"{"api_key": "a8f5f167f44f4964"}"#, "a8f5f167f44f4964"),
    (r#"{"apiKey":"qwertzuiopasdfghjklyx"}"#, "qwertzuiopasdfghjklyx"),
    (r#"{\"api_key\": \"a8f5f167f44f4964\"}"#, "a8f5f167f44f4964"),
    (r#"{\\\"client_secret\\\":\\\"opensesame\\\"}"#, "opensesame"),
    (r#"{"password":"correcthorse"}"#, "correcthorse"),
    (r#"{"db":{"passwd":"pa\"ss wo1"}}"#, r#"pa\"ss wo1"#),
    (r#"{"refresh_token":"1//0gabcdefghijk"}"#, "1//0gabcdefghijk"),
    // Environments and shells.
    ("export DB_PASSWORD=correcthorse", "correcthorse"),
    ("DB_PASSWORD='correct horse 7'", "correct horse 7"),
    ("STRIPE_KEY=9f86d081884c7d659a2f", "9f86d081884c7d659a2f"),
    ("SERVICE_TOKEN=abc123 ./run", "abc123"),
    (r"line one\nSECRET_KEY=a1b2c3d4\nline two", "a1b2c3d4"),
    ("DJANGO_SECRET_KEY=django-insecure-#x9$kq2", "django-insecure-#x9$kq2"),
    // Code and configurations.
    ("password: hunter2\n", "hunter2"),
    ("spring.datasource.password=hunter22", "hunter22"),
    (r#"const PASSWORD: &str = "hunter22";"#, "hunter22"),
    (r#"api_key = "abcd1234efgh5678""#, "abcd1234efgh5678"),
    ("x-api-key: 3f2a9c4d5e6b7a80", "3f2a9c4d5e6b7a80"),
    (
        "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6==;",
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6==",
    ),
    ("//registry.npmjs.org/:_authToken=a1b2c3d4-e5f6-7890-abcd-ef0123456789", "a1b2c3d4-e5f6-7890-abcd-ef0123456789"),
    (r#"config["secret"] = "s3cr3t!""#, "s3cr3t!"),
    // Command lines and words.
    ("deploy --token 9f86d081884c7d65 --fast", "9f86d081884c7d65"),
    ("mysql --password=hunter22 -h db", "hunter22"),
    ("curl -u alice:s3cret-pw https://x.example", "s3cret-pw"),
    ("the password is hunter2, remember it", "hunter2"),
    ("my api key is a8f5f167f44f4964a1", "a8f5f167f44f4964a1"),
    // Headers.
    ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
    (r#"-H "authorization: Basic dXNlcjpwYXNzd29yZA==""#, "dXNlcjpwYXNzd29yZA=="),
    (r#""Authorization":"token 0123abcd""#, "0123abcd"),
    ("curl -H 'X: Bearer AbCdEfGhIjKlMnOpQr'", "AbCdEfGhIjKlMnOpQr"),
    // Services.
    ("sk-proj-Ab3dEf6hIj9kLm2nOp5q", "sk-proj-Ab3dEf6hIj9kLm2nOp5q"),
    ("sk-ant-api03-Ab3dEf6hIj9kLm2nOp5q_-x", "sk-ant-api03-Ab3dEf6hIj9kLm2nOp5q_-x"),
    ("GH=ghp_0123456789abcdefghijklmnopqrstuvwxyz", "ghp_0123456789abcdefghijklmnopqrstuvwxyz"),
    ("github_pat_11ABCDEFG0abcdefghijkl_mnop", "github_pat_11ABCDEFG0abcdefghijkl_mnop"),
    ("glpat-abcdefghij0123456789", "glpat-abcdefghij0123456789"),
    ("aws: AKIAIOSFODNN7EXAMPLQ", "AKIAIOSFODNN7EXAMPLQ"),
    ("AKIAIOSFODNN7EXAMPLQ,wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "eyJzdWIiOiIxMjM0NTY3ODkwIn0"),
    ("xoxb-123456789012-abcdefghijkl", "xoxb-123456789012-abcdefghijkl"),
    ("AIzaSyA0123456789abcdefghijklmnopqrstuv", "AIzaSyA0123456789abcdefghijklmnopqrstuv"),
    ("npm_abcdefghijklmnopqrstuvwxyz0123456789", "npm_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("sk_live_0123456789abcdef", "sk_live_0123456789abcdef"),
    ("hf_abcdefghijklmnopqrstuvwxyzabcdefgh", "hf_abcdefghijklmnopqrstuvwxyzabcdefgh"),
    ("123456789:AAabcdefghijklmnopqrstuvwxyz0123456", "AAabcdefghijklmnopqrstuvwxyz0123456"),
    ("https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnop", "abcdefghijklmnop"),
    ("\u{1b}[1;32mghp_0123456789abcdefghijklmnop\u{1b}[0m", "ghp_0123456789abcdefghijklmnop"),
    ("next=token%3Dghp_0123456789abcdefghijklmnop", "ghp_0123456789abcdefghijklmnop"),
    ("a text that was cut ghp_0123456…", "ghp_0123456"),
    // Addresses.
    ("postgres://app:s3cr3t@db.example:5432/app", "s3cr3t"),
    ("git clone https://me:pa/ss@host/x.git", "pa/ss"),
    ("redis://:onlypass@cache", "onlypass"),
    (
        "-----BEGIN RSA PRIVATE KEY----- and MIIEowIBAAKCAQEAx0fU9p and QIDBA0fUIhhR9Bc8 and -----END RSA PRIVATE KEY-----",
        "QIDBA0fUIhhR9Bc8",
    ),
    // Keys of several lines, whole and cut, as text and in JSON.
    (PEM, "AAAEAQIDBA=="),
    ("x\n-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx0fUIhhR9BcX", "MIIEowIBAAKCAQEAx0fUIhhR9BcX"),
    ("AKCAQEAx0fUIhhR9BcXx\nIhhR9B==\n-----END RSA PRIVATE KEY-----\ny", "IhhR9B=="),
    (
        r"-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEAx0fUIhhR9BcX\nQ8==\n-----END PRIVATE KEY-----\n",
        "MIIEowIBAAKCAQEAx0fUIhhR9BcX",
    ),
];

#[test]
fn every_shape_of_secret_goes() {
    let mut left = Vec::new();
    for (text, secret) in SECRETS {
        assert!(text.contains(secret), "the table is wrong: {text}");
        let around = [format!("before {text} after"), format!("x\n{text}\ny"), format!("{text} {text}")];
        for text in [(*text).to_owned()].into_iter().chain(around) {
            let clean = redact(&text, &[]);
            if clean.contains(secret) || redact(&clean, &[]) != clean {
                left.push(format!("{text}\n → {clean}"));
            }
        }
    }
    assert!(left.is_empty(), "{}", left.join("\n"));
    assert_eq!(redact("cut ghp_0123456", &[]), "cut [redacted]");
}

#[test]
fn what_stands_around_a_secret_stays() {
    for (text, clean) in [
        (r#"{"api_key": "a8f5f167f44f4964", "n": 1}"#, r#"{"api_key": "[redacted]", "n": 1}"#),
        (r#"{\"token\":\"a8f5f167f44f4964\",\"n\":1}"#, r#"{\"token\":\"[redacted]\",\"n\":1}"#),
        ("export A=1 DB_PASSWORD=correcthorse B=2", "export A=1 DB_PASSWORD=[redacted] B=2"),
        ("postgres://app:s3cr3t@db.example:5432/app", "postgres://app:[redacted]@db.example:5432/app"),
        ("the password is hunter2, remember it", "the password is [redacted], remember it"),
        ("a\n-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEAx0fU\n-----END PRIVATE KEY-----\nb", "a\n[redacted]\nb"),
        (
            "a\n-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEAx0fU\nQIDBA0fUIhhR9BcXx0fU\nnot of it",
            "a\n[redacted]\nnot of it",
        ),
        (
            "curl -H 'Authorization: Bearer abcdef0123456789' https://x",
            "curl -H 'Authorization: Bearer [redacted]' https://x",
        ),
    ] {
        assert_eq!(redact(text, &[]), clean);
    }
}

#[test]
fn hashes_ids_paths_and_code_stay() {
    for text in [
        "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "550e8400-e29b-41d4-a716-446655440000",
        r#"{"id":"550e8400-e29b-41d4-a716-446655440000","cache_key":"9f86d081884c7d659a2feaa0c55ad015"}"#,
        "integrity: sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
        "/home/me/.config/token/secret-key-2024/file.rs:12:34",
        "let token = lexer.next_token();",
        "fn password(&self) -> &str { &self.password }",
        "token: Token2, key: Key64,",
        "pub struct Login { password: String, secret: Option<Vec<u8>> }",
        "if (password === confirm2) { return }",
        "max_tokens = 20000",
        "token_count: 12345678",
        "password = os.environ[\"DB_PASSWORD\"]",
        "PASSWORD=$DB_PASSWORD TOKEN=${TOKEN2} SECRET=$(cat /run/secrets/x1)",
        "\"password\": \"<your password>\", \"token\": \"${TOKEN}\"",
        "\"password\": \"Enter your password\"",
        "secretKeyRef: { name: app-secret-2, key: db-password }",
        "secret: app-secret-v2",
        "password_file: /run/secrets/db1",
        "token = sha256(\"abc123\")",
        "password = getpass.getpass2()",
        "<input type=\"password\" name=\"password\">",
        "docker login --password-stdin registry.example",
        "use the --token option to pass it",
        "ssh://git@github.com/me/repo.git and git@github.com:me/repo.git",
        "http://localhost:8080/path@2x.png",
        "http://[::1]:8080/x@y",
        "see https://example.com/a:b@c for that",
        "public_key = \"AAAAC3NzaC1lZDI1NTE5AAAAIDnRa8ytx8Et\"",
        "primary_key: user_id_2",
        "const BEGIN: &str = \"-----BEGIN PRIVATE KEY-----\";",
        "assert!(text.ends_with(\"-----END PRIVATE KEY-----\"));",
        "strip(\"-----BEGIN PRIVATE KEY-----\", \"-----END PRIVATE KEY-----\", text, assertPrivateKeyFormat)",
        "-----BEGIN CERTIFICATE-----\nMIIEowIBAAKCAQEAx0fUIhhR9BcX\n-----END CERTIFICATE-----",
        "sk-learn-something-with-long-name",
        "disk-internationalization-2024",
        "Bearer authentication-with-many-words",
        "Authorization: Basic authentication is refused",
        "the secret is out: 12 people know",
        "error[E0425]: cannot find value `token` in this scope",
        "docker run -u 1000:1000 image",
        "password: string, token: float64, secret: base64",
        "KEY=value FOO_KEY=some-name-2",
        "we run tests with `just t`, never `cargo test`",
        "密码在哪里？ token 是什么",
        "v1.2.3-rc.4+build.5",
        "name = \"tokenizers\"\nversion = \"0.13.3\"\nchecksum = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
    ] {
        assert_eq!(redact(text, &[]), text);
    }
}

#[test]
fn a_secret_spread_over_pieces_is_gone_from_all_of_them() {
    let whole = "use ghp_0123456789abcdefghijklmnop and my-own-pass now";
    let characters: Vec<String> = whole.chars().map(String::from).collect();
    for size in 1..characters.len() {
        let pieces: Vec<String> = characters.chunks(size).map(<[String]>::concat).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let clean = redact_pieces(&pieces, &["my-own-pass"]).unwrap();
        assert_eq!(clean.len(), pieces.len());
        assert_eq!(clean.concat(), "use [redacted] and [redacted] now");
    }
    assert_eq!(redact_pieces(&["no", "thing"], &[]), None);
}

#[test]
fn a_known_secret_is_found_within_json_too() {
    let secret = "my \"own\"\\pass";
    let text = serde_json::json!({ "said": format!("it is {secret}.") }).to_string();
    assert_eq!(redact(&text, &[secret]), r#"{"said":"it is [redacted]."}"#);
}

/// With time that grows as the square of a text these would not.
#[test]
fn hostile_texts_come_to_an_end() {
    for unit in [
        "sk-",
        "eyJ-",
        "password=\"",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----\n",
        "://a:",
        "token: ",
        "\\",
        "AKIA0000000000000000,",
        "-----BEGIN PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAA\n",
        "secret=\\\"",
        "x.password:\"'`",
    ] {
        let text = unit.repeat(300_000 / unit.len());
        let clean = redact(&text, &["known-secret"]);
        assert_eq!(redact(&clean, &[]), clean, "{unit}");
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn fragments() -> impl Strategy<Value = String> {
        let secrets: Vec<String> = SECRETS.iter().map(|(text, _)| (*text).to_owned()).collect();
        let glue = [
            "\n",
            " ",
            "=",
            ": ",
            "\"",
            "\\\"",
            "\\n",
            "://",
            "@",
            "-----END PRIVATE KEY-----",
            "password",
            "é",
            "[redacted]",
            "Bearer ",
            "eyJ",
            "sk-",
        ];
        let glue: Vec<String> = glue.iter().map(|glue| (*glue).to_owned()).collect();
        let part = prop_oneof![
            proptest::sample::select(secrets),
            proptest::sample::select(glue),
            "[a-z0-9A-Z ]{0,12}".prop_map(|text| text)
        ];
        proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn pieces_come_to_the_same_as_the_whole(text in fragments(), cut in 0_usize..400) {
            let cut = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let pieces = redact_pieces(&[&text[..cut], &text[cut..]], &[]);
            let whole = redact(&text, &[]);
            prop_assert_eq!(pieces.map_or_else(|| text.clone(), |pieces| pieces.concat()), whole.as_ref());
        }

        #[test]
        fn what_was_redacted_keeps_its_form(text in fragments()) {
            let once = redact(&text, &[]).into_owned();
            // A mark that a hostile text brings along may bring two halves together, and then one more look is the last.
            let twice = redact(&once, &[]).into_owned();
            let thrice = redact(&twice, &[]).into_owned();
            prop_assert_eq!(&thrice, &twice);
        }
    }
}
