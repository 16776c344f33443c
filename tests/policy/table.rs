//! `commands.tsv`: settings, verdict, a part of the reason, and the script, in columns.

use std::path::Path;

use hone::policy::{Access, Approval, Request, Sandbox, Settings, judge, rules};

const RULES: &str = r#"
prefix_rule(pattern=["cargo", ["build", "test"]], match=["cargo test --all"], not_match=["cargo publish"])
prefix_rule(pattern=["npm", "publish"], decision="forbidden", justification="releases are made by CI")
prefix_rule(pattern=["git", "commit"], decision="prompt", justification="read the diff first")
prefix_rule(pattern=["rm", "-rf", "/repo"])
"#;

/// `u`, `r` and `n` are `untrusted`, `on-request` and `never` in a workspace that may be written; `y` is `never` without a
/// sandbox.
pub fn settings(name: &str) -> Settings {
    let (approval, sandbox) = match name {
        "u" => (Approval::Untrusted, Sandbox::WorkspaceWrite),
        "r" => (Approval::OnRequest, Sandbox::WorkspaceWrite),
        "n" => (Approval::Never, Sandbox::WorkspaceWrite),
        "y" => (Approval::Never, Sandbox::DangerFullAccess),
        other => panic!("no settings are called {other}"),
    };
    Settings {
        writable: vec!["/repo".into(), "/tmp".into()],
        protected: vec!["/repo/.git".into(), "/repo/.codex".into(), "/repo/.agents".into()],
        home: Some("/home/ann".into()),
        rules: rules::read(RULES, "test.rules").unwrap(),
        ..Settings::new(approval, sandbox)
    }
}

#[test]
fn every_command_of_the_table_is_judged_as_it_says() {
    let table =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy/commands.tsv")).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [name, verdict, reason, script] = line.splitn(4, '\t').collect::<Vec<_>>()[..] else {
            panic!("not four columns: {line}")
        };
        let script = script.replace("⏎", "\n");
        let command = ["bash", "-lc", &script].map(str::to_owned);
        let request = Request { access: Access::Exec(&command), cwd: Path::new("/repo"), escalation: None };
        let judgement = judge(&request, &settings(name));
        count += 1;
        if judgement.verdict.name() != verdict || !judgement.reason.contains(reason) || judgement.reason.contains('\n')
        {
            wrong.push(format!("{line}\n    {}: {}", judgement.verdict.name(), judgement.reason));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 300, "only {count} commands");
}
