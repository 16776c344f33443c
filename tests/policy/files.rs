//! Files of rules: what is added to one is read back, and nothing of it is lost.

use hone::config::environment::Environment;
use hone::config::home::Home;
use hone::config::rules;

#[test]
fn always_adds_one_line_and_keeps_the_rest() {
    let dir = tempfile::TempDir::new().unwrap();
    let env: Environment = [("CODEX_HOME".to_owned(), dir.path().display().to_string())].into_iter().collect();
    let home = Home::find(&env).unwrap();
    std::fs::create_dir(dir.path().join("rules")).unwrap();
    let before = "# mine\nprefix_rule(pattern=[\"ls\"])";
    std::fs::write(dir.path().join("rules/default.rules"), before).unwrap();
    let prefix = ["cargo", "te\"st\\", "a\nb"].map(str::to_owned);
    let file = rules::allow(&home, &prefix).unwrap();
    rules::allow(&home, &prefix).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with(before) && text.ends_with('\n'), "{text}");
    std::fs::write(dir.path().join("rules/bad.rules"), "x = [\n").unwrap();
    let loaded = rules::load(&home, []);
    assert_eq!(loaded.rules.len(), 2, "{loaded:?}");
    assert_eq!(loaded.rules[1].pattern, prefix.map(|word| vec![word]));
    assert_eq!((loaded.rules[1].line, loaded.errors.len()), (3, 1));
    assert!(loaded.errors[0].to_string().contains("bad.rules:2: "), "{loaded:?}");
}
