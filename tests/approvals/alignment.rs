//! The same calls under Codex's settings and ours: the same answer, or a difference that `docs/alignment.md` gives a reason for.
//! `oracle.py` asked the real program.

use std::path::Path;
use std::sync::Arc;

use hone::agent::Gate;
use hone::agent::ports::Approver;
use hone::policy::{Approval, Sandbox, Settings, rules};
use hone::protocol::Answer;
use serde_json::json;

use super::gate::{Person, pass, patch};

const TABLE: &str = include_str!("alignment.tsv");
const ORACLE: &str = include_str!("oracle.py");

async fn verdict(approval: &str, sandbox: &str, kind: &str, text: &str) -> &'static str {
    let person = Person::with(&[Answer::No(None)]);
    let approver: Arc<dyn Approver> = Arc::<Person>::clone(&person);
    let rules_text = ORACLE.split("\"\"\"").find(|part| part.starts_with("prefix_rule")).unwrap();
    let settings = Settings {
        writable: vec!["/repo".into(), "/tmp".into()],
        protected: vec!["/repo/.git".into()],
        home: Some("/home/person".into()),
        rules: rules::read(rules_text, "default.rules").unwrap(),
        ..Settings::new(Approval::named(approval).unwrap(), Sandbox::named(sandbox).unwrap())
    };
    let gate = Gate::new(settings, Arc::default(), approver);
    let (tool, input) = match kind {
        "patch" => ("apply_patch", patch(text)),
        "escalated" => {
            let input = json!({"cmd": text, "login": false, "sandbox_permissions": "require_escalated", "justification": "May it?"});
            ("exec_command", input.to_string())
        }
        _ => ("exec_command", json!({"cmd": text, "login": false}).to_string()),
    };
    let passed = pass(&gate, tool, &input).await;
    match (person.asked().len(), passed.is_ok()) {
        (1, _) => "ask",
        (_, true) => "allow",
        _ => "refuse",
    }
}

#[tokio::test]
async fn every_difference_from_codex_is_meant_and_has_its_reason() {
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/alignment.md")).unwrap();
    let (mut wrong, mut same, mut differ) = (Vec::new(), 0, 0);
    for line in TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [approval, sandbox, kind, text, codex, hone, why] = cells[..] else { panic!("{line}") };
        let ours = verdict(approval, sandbox, kind, text).await;
        let explained = codex == ours && why.is_empty() || codex != ours && docs.contains(&format!("| {why} |"));
        if ours != hone || !explained {
            wrong.push(format!("{approval}\t{sandbox}\t{kind}\t{text}\t{codex}\t{ours}\t{why}"));
        }
        if codex == ours { same += 1 } else { differ += 1 }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((same, differ), (164, 25));
}
