//! What a person states outright: how things are done here, what must not be done, how they like things. English and Chinese
//! alike, mixed too.
//!
//! A bug report ("it always fails"), a task ("don't commit yet") and a question are no statements; in doubt it is none.

use super::leads::{strip_leads, tidy};
use super::mentions::Mentions;
use super::words::{Sentence, holds, holds_any};
use crate::protocol::learned::{About, MemoryKind, Scope};

/// Something a person stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What kind of thing it is.
    pub kind: MemoryKind,
    /// Whom it concerns.
    pub scope: Scope,
    /// In the person's words, without what leads up to it.
    pub text: String,
    /// What it speaks of.
    pub about: About,
}

/// Words that bind a sentence to the task at hand.
pub const FOR_ONCE: &[&str] = &[
    "for now",
    "this time",
    "today",
    "yet",
    "right now",
    "at the moment",
    "in this pr",
    "in this commit",
    "in this refactor",
    "in this task",
    "this turn",
    "until i",
    "until we",
    "tomorrow",
    "tonight",
    "temporarily",
    "just now",
    "never mind",
    "always fails",
    "always crashes",
    "always returns",
    "这次",
    "本次",
    "暂时",
    "今天",
    "先不要",
    "先别",
    "明天",
    "等我",
    "稍后",
    "临时",
    "以后再",
];

const EVERYWHERE: &[&str] = &[
    "everywhere",
    "in all projects",
    "in every project",
    "in all repos",
    "in every repo",
    "所有项目",
    "任何项目",
    "每个项目",
    "所有仓库",
];

/// The statement a sentence makes, if it makes one.
#[must_use]
pub fn read(sentence: &Sentence<'_>) -> Option<Statement> {
    let length = sentence.text.chars().count();
    if !(6..=400).contains(&length) || sentence.is_question() || holds_any(&sentence.bare, FOR_ONCE) {
        return None;
    }
    let mentions = Mentions::of(sentence.text);
    let kind = kind(&sentence.bare, &mentions)?;
    Some(statement(sentence, kind, &mentions))
}

/// The statement that a correction amounts to: what should have been used. Weaker than [`read`], so it must name something.
#[must_use]
pub fn corrected(sentence: &Sentence<'_>) -> Option<Statement> {
    let mentions = Mentions::of(sentence.text);
    let says_how = holds_any(&sentence.bare, &["use", "run", "with", "should", "instead"])
        || ["用", "跑", "应该", "改成"].iter().any(|word| sentence.bare.contains(word));
    let names = !mentions.for_.is_empty() && says_how;
    (names && !sentence.is_question() && !holds_any(&sentence.bare, FOR_ONCE))
        .then(|| statement(sentence, MemoryKind::Rule, &mentions))
}

/// Whether a sentence says that what was done was wrong.
#[must_use]
pub fn corrects(sentence: &Sentence<'_>) -> bool {
    const BEGINS: &[&str] = &[
        "no,",
        "no ",
        "no.",
        "no!",
        "nope",
        "wrong",
        "not that",
        "not like",
        "that's wrong",
        "that is wrong",
        "that's not",
        "that is not",
        "undo",
        "revert",
        "i said",
        "i told you",
        "i meant",
        "you misunderstood",
        "stop",
        "不对",
        "错了",
        "不是",
        "改回",
        "撤销",
        "我说的是",
        "你理解错",
        "别这样",
        "不要这样",
        "重来",
    ];
    BEGINS.iter().any(|begin| sentence.bare.starts_with(begin)) || sentence.bare == "no"
}

fn statement(sentence: &Sentence<'_>, kind: MemoryKind, mentions: &Mentions) -> Statement {
    let own = holds_any(&sentence.bare, &["i prefer", "i like", "i'd like", "i want", "i'd prefer", "for me"])
        || ["我喜欢", "我更喜欢", "我偏好", "我习惯", "我希望"].iter().any(|words| sentence.bare.contains(words));
    let everywhere = holds_any(&sentence.bare, EVERYWHERE);
    let scope = if everywhere || own { Scope::User } else { Scope::Repo };
    let kind = if own { MemoryKind::Preference } else { kind };
    Statement { kind, scope, text: tidy(sentence.text), about: mentions.about() }
}

fn kind(bare: &str, mentions: &Mentions) -> Option<MemoryKind> {
    let clauses =
        || bare.split([',', '，', ';', '；', ':', '：']).flat_map(|part| part.split(" and ")).map(strip_leads);
    let names = !mentions.is_empty();
    if ["i prefer", "we prefer", "i'd prefer", "优先使用", "优先用", "我喜欢", "我更喜欢", "我偏好", "我习惯"]
        .iter()
        .any(|words| bare.contains(words))
        || clauses().any(|clause| clause.starts_with("prefer "))
    {
        return Some(MemoryKind::Preference);
    }
    if clauses().any(|clause| is_rule(clause, names)) || is_chinese_rule(bare, names) || swaps(bare, names) {
        return Some(MemoryKind::Rule);
    }
    let remembers = bare.starts_with("remember ")
        || bare.starts_with("please remember")
        || bare.starts_with("remember:")
        || ["记住", "请记住", "牢记"].iter().any(|words| bare.starts_with(words));
    if remembers || (names && is_custom(bare)) {
        return Some(MemoryKind::Fact);
    }
    None
}

/// Whether a clause commands for good.
fn is_rule(clause: &str, names: bool) -> bool {
    const SUBJECTS: &[&str] = &["we ", "you should ", "you must ", "i want you to ", "we should ", "we must "];
    const DURABLE: &[&str] =
        &["touch", "edit", "modify", "change", "use", "run", "commit", "push", "format", "import", "call", "mock"];
    let clause = SUBJECTS.iter().find_map(|subject| clause.strip_prefix(subject)).unwrap_or(clause);
    let after = |word: &str| clause.strip_prefix(word).map(str::trim_start);
    if let Some(rest) = after("always ").or_else(|| after("never ")) {
        const TOLD: &[&str] = &["fail", "crash", "return", "work", "get", "hang", "happen", "break", "time"];
        let verb = rest.split_whitespace().next().unwrap_or_default();
        return !TOLD.iter().any(|told| verb.starts_with(told) && verb.len() > told.len());
    }
    let refusal = ["don't ", "do not ", "dont ", "must not ", "mustn't ", "avoid ", "stop using "]
        .iter()
        .find_map(|word| after(word));
    refusal.is_some_and(|rest| {
        let verb = rest.split_whitespace().next().unwrap_or_default();
        let lasts = clause.starts_with("stop using ") || clause.starts_with("avoid ") || DURABLE.contains(&verb);
        lasts && (names || holds_any(rest, &["folder", "directory", "file", "files", "anymore", "ever"]))
    })
}

/// Whether one thing is to be used in place of another.
fn swaps(bare: &str, names: bool) -> bool {
    let chinese = (bare.contains("而不是") || bare.contains("不要用")) && bare.contains('用');
    let begins = strip_leads(bare).starts_with("use ");
    let swap = ["instead of", "rather than", "not"].iter().any(|word| holds(bare, word));
    let in_place = holds_any(bare, &["here", "in this function", "in this file", "for this"]);
    names && !in_place && (chinese || (begins && swap))
}

fn is_chinese_rule(bare: &str, names: bool) -> bool {
    const LASTING: &[&str] = &[
        "以后",
        "今后",
        "从现在起",
        "从现在开始",
        "从今以后",
        "下次",
        "每次",
        "一律",
        "永远",
        "始终",
        "总是",
        "务必",
        "统一",
    ];
    const DOES: &[&str] =
        &["用", "跑", "不要", "别", "禁止", "要", "必须", "写", "改", "碰", "提交", "执行", "加", "放"];
    const TOLD: &[&str] = &["失败", "报错", "崩溃", "出错", "挂"];
    const REFUSES: &[&str] = &["不要", "别", "禁止", "切勿", "不准", "不许", "严禁", "不能"];
    const DURABLE: &[&str] = &["用", "碰", "动", "改", "修改", "编辑", "运行", "跑", "提交", "直接", "调用", "写"];
    let lasting = LASTING.iter().any(|word| bare.contains(word));
    if lasting && DOES.iter().any(|word| bare.contains(word)) && !TOLD.iter().any(|word| bare.contains(word)) {
        return true;
    }
    let refuses = bare.split(['，', ',', '；', ';']).any(|clause| {
        let clause = strip_leads(clause);
        let rest = REFUSES.iter().find_map(|word| clause.strip_prefix(word));
        rest.is_some_and(|rest| DURABLE.iter().any(|verb| rest.trim_start().starts_with(verb)))
    });
    refuses && (names || ["目录", "文件夹", "文件"].iter().any(|word| bare.contains(word)))
}

/// Whether it tells how things are done here.
fn is_custom(bare: &str) -> bool {
    const WE: &[&str] = &["we", "our tests", "the tests", "tests", "this repo", "this project", "our ci", "here we"];
    const DO: &[&str] = &[
        "run", "use", "build", "test", "deploy", "format", "lint", "keep", "write", "store", "ship", "release", "live",
        "lives", "uses", "are run",
    ];
    let clause = strip_leads(bare);
    let english = WE.iter().any(|subject| {
        clause
            .strip_prefix(subject)
            .and_then(|rest| rest.strip_prefix(' '))
            .is_some_and(|rest| DO.iter().any(|verb| rest.strip_prefix(verb).is_some_and(|rest| rest.starts_with(' '))))
    });
    let to_test = clause.starts_with("run the tests with ") || clause.starts_with("run tests with ");
    let chinese =
        ["我们用", "我们使用", "测试用", "测试要用", "本项目用", "本项目使用", "这个项目用", "这个项目使用", "构建用"];
    english || to_test || chinese.iter().any(|words| bare.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::words::own;
    use MemoryKind::{Fact, Preference, Rule};
    use Scope::{Repo, User};

    fn stated(said: &str) -> Vec<(MemoryKind, Scope, String)> {
        let read = |sentence: &Sentence<'_>| read(sentence).map(|found| (found.kind, found.scope, found.text));
        own(said).iter().filter_map(read).collect()
    }

    #[test]
    fn statements_in_english_and_chinese() {
        for (said, kind, scope, text) in [
            (
                "we run tests with `just t`, never `cargo test`",
                Rule,
                Repo,
                "We run tests with `just t`, never `cargo test`.",
            ),
            ("Fix the parser. Remember that CI needs `make gen` first.", Fact, Repo, "CI needs `make gen` first."),
            ("Always run `just fmt` before a commit", Rule, Repo, "Always run `just fmt` before a commit."),
            ("from now on, never push to main", Rule, Repo, "Never push to main."),
            ("I prefer short answers", Preference, User, "I prefer short answers."),
            ("prefer `thiserror` over `anyhow`", Preference, Repo, "Prefer `thiserror` over `anyhow`."),
            ("please use pnpm instead of npm", Rule, Repo, "Use pnpm instead of npm."),
            ("Don't touch the vendor folder!", Rule, Repo, "Don't touch the vendor folder."),
            ("Never use emojis, in all projects", Rule, User, "Never use emojis, in all projects."),
            ("We use `uv` for Python", Fact, Repo, "We use `uv` for Python."),
            ("记住：测试用 `just t`", Fact, Repo, "测试用 `just t`。"),
            ("以后不要用 `cargo test`，一律用 `just t`", Rule, Repo, "以后不要用 `cargo test`，一律用 `just t`。"),
            ("请用 pnpm 而不是 npm", Rule, Repo, "用 pnpm 而不是 npm。"),
            ("不要碰 vendor 目录", Rule, Repo, "不要碰 vendor 目录。"),
            ("我喜欢简短的回答", Preference, User, "我喜欢简短的回答。"),
            (
                "修一下。测试 always 用 `just t`, 以后别用 cargo",
                Rule,
                Repo,
                "测试 always 用 `just t`, 以后别用 cargo。",
            ),
        ] {
            assert_eq!(stated(said), [(kind, scope, text.to_owned())], "{said}");
        }
    }

    #[test]
    fn what_is_no_statement() {
        for said in [
            "fix the failing test in src/lex.rs",
            "the build always fails with E0308",
            "it never returns, find out why",
            "don't commit yet",
            "don't worry about the docs",
            "never mind",
            "should we always use `just t`?",
            "do you remember what we did?",
            "use `HashMap` instead of `Vec` here",
            "for now always use `x`",
            "He wrote \"always use npm\" in the docs",
            "```\nalways use npm\n```",
            "the README says:\nalways use npm",
            "run `cargo test` and fix what fails",
            "fix the memory leak",
            "add a GitHub workflow file",
            "测试总是失败，看一下",
            "这次先不要提交",
            "以后再说",
            "我们以后要不要用 just？",
            "把这个函数改成异步的",
            "> 以后一律用 npm",
        ] {
            assert_eq!(stated(said), [], "{said}");
        }
    }

    #[test]
    fn corrections() {
        for (said, expected) in [
            ("no, use `just t`", true),
            ("不对，应该用 `just t`", true),
            ("No, that is wrong", false),
            ("no, which one is `just t`?", false),
        ] {
            let sentences = own(said);
            assert!(corrects(&sentences[0]), "{said}");
            assert_eq!(corrected(&sentences[0]).is_some(), expected, "{said}");
        }
        assert!(!corrects(&own("now run it")[0]) && !corrects(&own("nothing changed")[0]));
    }
}
