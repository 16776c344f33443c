//! What several turns of one kind have in common: the longest run of steps they share, in order. Where they differ in a value it
//! becomes an input, when it is one: something the person named, a path, a number, a quoted text.

use std::path::Path;

use super::procedure::{Act, program};
use crate::evolution::outcomes::{Goal, goal};
use crate::text::terms::terms;

/// One turn, as far as it can teach a procedure.
#[derive(Clone, Debug)]
pub struct Example {
    /// What the person asked for.
    pub goal: String,
    /// What was done and passed.
    pub acts: Vec<Act>,
}

/// What the examples have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Procedure {
    /// What was asked for, with placeholders.
    pub task: String,
    /// The steps in order; `<name>` stands for an input.
    pub steps: Vec<Act>,
    /// The command that checks, no step by itself.
    pub check: Option<String>,
    /// What differs.
    pub inputs: Vec<Input>,
}

/// Something that differs from time to time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What it is called.
    pub name: String,
    /// What it was.
    pub values: Vec<String>,
}

/// A value that differs, by example; `None` where an example lacks the step.
type Values = Vec<Option<String>>;

/// Between these stands the number of a hole until it has a name.
const HOLE: char = '\u{1}';

/// The procedure that `examples` show; `None` when there is nothing to it.
#[must_use]
pub fn generalise(examples: &[Example]) -> Option<Procedure> {
    let base =
        (0..examples.len()).filter(|at| !examples[*at].acts.is_empty()).min_by_key(|at| examples[*at].acts.len())?;
    let rows = aligned(examples, base);
    let mut holes: Vec<Values> = Vec::new();
    let mut steps: Vec<Act> = Vec::new();
    for row in rows {
        let step = merged(&row, &mut holes);
        if !steps.contains(&step) {
            steps.push(step);
        } else if matches!(step, Act::Run { is_check: true, .. }) {
            // A check counts where it was run last.
            steps.retain(|other| *other != step);
            steps.push(step);
        }
    }
    let inputs = named(&holes, examples);
    let steps: Vec<Act> = steps.into_iter().map(|step| filled(step, &inputs)).collect();
    let (steps, check) = split_check(steps);
    let is_told = check.is_some() && (examples.len() == 1 || is_worth_it(&steps, &inputs, examples));
    is_told.then(|| Procedure { task: task(examples, base, &inputs), steps, check, inputs })
}

/// For each act of the base that enough of the examples share, that act of each.
fn aligned(examples: &[Example], base: usize) -> Vec<Vec<Option<&Act>>> {
    let matches: Vec<Vec<Option<usize>>> = examples.iter().map(|other| common(&examples[base], other)).collect();
    let others = examples.len() - 1;
    let enough = if others <= 2 { others } else { (others * 2).div_ceil(3) };
    let row = |at: usize| -> Option<Vec<Option<&Act>>> {
        let row: Vec<Option<&Act>> =
            examples
                .iter()
                .enumerate()
                .map(|(index, other)| {
                    if index == base {
                        Some(&other.acts[at])
                    } else {
                        matches[index][at].map(|place| &other.acts[place])
                    }
                })
                .collect();
        (row.iter().flatten().count() > enough).then_some(row)
    };
    (0..examples[base].acts.len()).filter_map(row).collect()
}

/// For each act of `base` its counterpart in `other`, along their longest common run.
fn common(base: &Example, other: &Example) -> Vec<Option<usize>> {
    let (n, m) = (base.acts.len(), other.acts.len());
    let same = |i: usize, j: usize| unify(&base.acts[i], &other.acts[j], &base.goal, &other.goal);
    let mut longest = vec![vec![0_u32; m + 1]; n + 1];
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            longest[i][j] =
                if same(i, j) { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let mut found = vec![None; n];
    let (mut i, mut j) = (0, 0);
    while i < n && j < m {
        if same(i, j) && longest[i][j] == longest[i + 1][j + 1] + 1 {
            found[i] = Some(j);
            (i, j) = (i + 1, j + 1);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    found
}

/// Whether two acts are the same step with other values.
fn unify(one: &Act, other: &Act, goal: &str, other_goal: &str) -> bool {
    match (one, other) {
        (Act::Run { folder, words, is_check }, Act::Run { folder: in_folder, words: with, is_check: checks }) => {
            let equal = words.iter().zip(with).filter(|(a, b)| a == b).count();
            let differ = || words.iter().zip(with).filter(|(a, b)| a != b);
            folder == in_folder
                && is_check == checks
                && words.len() == with.len()
                && program(words) == program(with)
                && equal * 2 >= words.len()
                && differ().all(|(a, b)| is_value(a, goal) && is_value(b, other_goal) && same_key(a, b))
        }
        (Act::Edit { path, .. }, Act::Edit { path: with, .. }) => same_place(Path::new(path), Path::new(with)),
        _ => false,
    }
}

/// Whether two paths differ in the file's name alone, or in one folder on the way to a file of the same name.
fn same_place(one: &Path, other: &Path) -> bool {
    let parts = |path: &Path| path.components().map(|part| part.as_os_str().to_owned()).collect::<Vec<_>>();
    let (a, b) = (parts(one), parts(other));
    let differ = a.iter().zip(&b).filter(|(a, b)| a != b).count();
    let same_kind = one.extension() == other.extension();
    a.len() == b.len()
        && same_kind
        && (one.parent() == other.parent() || (one.file_name() == other.file_name() && differ == 1))
}

/// Whether a word is something that can differ: the person named it, or it is a path, a number or a text.
fn is_value(word: &str, goal: &str) -> bool {
    let core = word.rsplit_once('=').map_or(word, |(_, value)| value).trim_matches(['"', '\'']);
    if core.is_empty() || (word.starts_with('-') && !word.contains('=')) {
        return false;
    }
    let looks = core.contains(['/', '.', ' ']) || core.chars().any(|c| c.is_ascii_digit());
    let goal = goal.to_lowercase();
    let named = |piece: &str| piece.chars().count() > 1 && goal.contains(&piece.to_lowercase());
    looks || named(core) || core.split(|c: char| !c.is_alphanumeric()).any(|piece| piece.len() > 2 && named(piece))
}

/// Whether two words give the same thing its value, where they say which.
fn same_key(one: &str, other: &str) -> bool {
    one.split_once('=').map(|(key, _)| key) == other.split_once('=').map(|(key, _)| key)
}

fn merged(row: &[Option<&Act>], holes: &mut Vec<Values>) -> Act {
    let first = row.iter().flatten().next();
    match first {
        Some(Act::Run { folder, words, is_check }) => {
            let column = |at: usize| -> Values {
                row.iter()
                    .map(|act| match act {
                        Some(Act::Run { words, .. }) => words.get(at).cloned(),
                        _ => None,
                    })
                    .collect()
            };
            let words = (0..words.len()).map(|at| common_text(&column(at), holes)).collect();
            Act::Run { folder: folder.clone(), words, is_check: *is_check }
        }
        Some(Act::Edit { change, .. }) => {
            let paths = row.iter().map(|act| match act {
                Some(Act::Edit { path, .. }) => Some(path.clone()),
                _ => None,
            });
            Act::Edit { change: change.clone(), path: common_text(&paths.collect::<Values>(), holes) }
        }
        None => Act::Run { folder: None, words: Vec::new(), is_check: false },
    }
}

/// The text that `values` share, with holes where they differ.
fn common_text(values: &Values, holes: &mut Vec<Values>) -> String {
    let present: Vec<&String> = values.iter().flatten().collect();
    let Some(first) = present.first() else { return String::new() };
    if present.iter().all(|value| value == first) {
        return (*first).clone();
    }
    let (prefix, suffix) = ends(&present);
    let middle = |value: &String| value[prefix..value.len() - suffix].to_owned();
    let middles: Values = values.iter().map(|value| value.as_ref().map(middle)).collect();
    if middles.iter().flatten().any(String::is_empty) {
        return hole(values.clone(), holes);
    }
    let (before, after) = (&first[..prefix], &first[first.len() - suffix..]);
    format!("{before}{}{after}", inner(middles, holes))
}

/// What differs, by the holes there are already where it holds the same values, maybe among other things.
fn inner(middles: Values, holes: &mut Vec<Values>) -> String {
    let holds = |values: &Values, exactly: bool| {
        let pairs = || middles.iter().zip(values).filter_map(|(a, b)| Some((a.as_ref()?, b.as_ref()?)));
        pairs().count() > 1
            && pairs().all(|(a, b)| if exactly { a == b } else { b.len() > 2 && a.contains(b.as_str()) })
    };
    if let Some(known) = holes.iter().position(|values| holds(values, true)) {
        return marked(known);
    }
    let Some(known) = holes.iter().position(|values| holds(values, false)) else { return hole(middles, holes) };
    let values = holes[known].clone();
    let part = |which: usize| -> Values {
        middles
            .iter()
            .zip(&values)
            .map(|(a, b)| {
                let (before, after) = a.as_ref()?.split_once(b.as_deref()?)?;
                Some([before, after][which].to_owned())
            })
            .collect()
    };
    let rest = |values: Values, holes: &mut Vec<Values>| {
        let empty = values.iter().flatten().all(String::is_empty);
        if empty { String::new() } else { common_text(&values, holes) }
    };
    let (before, after) = (rest(part(0), holes), rest(part(1), holes));
    format!("{before}{}{after}", marked(known))
}

fn hole(values: Values, holes: &mut Vec<Values>) -> String {
    let known = holes.iter().position(|other| *other == values);
    marked(known.unwrap_or_else(|| {
        holes.push(values);
        holes.len() - 1
    }))
}

fn marked(hole: usize) -> String {
    format!("{HOLE}{hole}{HOLE}")
}

/// How many bytes the values share at their begin and at their end, up to the bounds of words.
fn ends(values: &[&String]) -> (usize, usize) {
    let shared = |from_end: bool| -> usize {
        let chars = |value: &String| -> Vec<char> {
            if from_end { value.chars().rev().collect() } else { value.chars().collect() }
        };
        let all: Vec<Vec<char>> = values.iter().map(|value| chars(value)).collect();
        let common =
            (0..).take_while(|at| all[0].get(*at).is_some_and(|c| all.iter().all(|value| value.get(*at) == Some(c))));
        let common = common.count();
        // The dots of a version bound nothing.
        let is_digit = |at: Option<usize>| at.and_then(|at| all[0].get(at)).is_some_and(char::is_ascii_digit);
        let is_bound = |at: &usize| {
            let in_number = all[0][*at] == '.' && is_digit(at.checked_sub(1)) && is_digit(at.checked_add(1));
            !all[0][*at].is_alphanumeric() && !in_number
        };
        let bound = (0..common).rev().find(is_bound).map_or(0, |at| at + 1);
        all[0][..bound].iter().map(|c| c.len_utf8()).sum()
    };
    let (prefix, suffix) = (shared(false), shared(true));
    let shortest = values.iter().map(|value| value.len()).min().unwrap_or(0);
    if prefix + suffix <= shortest { (prefix, suffix) } else { (prefix, 0) }
}

/// The inputs, named by the word the person puts after or before them.
fn named(holes: &[Values], examples: &[Example]) -> Vec<Input> {
    let mut inputs: Vec<Input> = Vec::new();
    for values in holes {
        let stem = name(values, examples);
        let taken = |name: &str| inputs.iter().any(|input| input.name == name);
        let name = std::iter::once(stem.clone()).chain((2..).map(|n| format!("{stem}-{n}"))).find(|name| !taken(name));
        let mut known: Vec<String> =
            values.iter().flatten().map(|value| value.trim_matches(['"', '\'']).to_owned()).collect();
        known.dedup();
        inputs.push(Input { name: name.unwrap_or(stem), values: known });
    }
    inputs
}

fn name(values: &Values, examples: &[Example]) -> String {
    let beside = |step: isize| -> Option<String> {
        let words = values.iter().zip(examples).filter_map(|(value, example)| {
            let value = value.as_ref()?.trim_matches(['"', '\'']).to_lowercase();
            let words: Vec<String> = words_of(&example.goal).map(str::to_lowercase).collect();
            let at = words.iter().position(|word| *word == value)?.checked_add_signed(step)?;
            words.get(at).cloned()
        });
        let words: Vec<String> = words.collect();
        let first = words.first()?;
        let names = first.chars().all(|c| c.is_ascii_alphanumeric()) && first.len() <= 20 && !terms(first).is_empty();
        (names && words.len() > 1 && words.iter().all(|word| word == first)).then(|| first.clone())
    };
    let all = |test: fn(&str) -> bool| values.iter().flatten().all(|value| test(value));
    let kind = || match () {
        () if all(|value| value.chars().all(|c| c.is_ascii_digit())) => "number",
        () if all(|value| value.contains('/')) => "path",
        () if all(|value| value.contains(' ')) => "text",
        () => "name",
    };
    beside(1).or_else(|| beside(-1)).unwrap_or_else(|| kind().to_owned())
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
}

fn filled(step: Act, inputs: &[Input]) -> Act {
    let fill = |text: &str| {
        text.split(HOLE).enumerate().fold(String::new(), |all, (at, part)| {
            let name = part.parse().ok().and_then(|hole: usize| inputs.get(hole)).filter(|_| at % 2 == 1);
            all + &name.map_or_else(|| part.to_owned(), |input| format!("<{}>", input.name))
        })
    };
    match step {
        Act::Run { folder, words, is_check } => {
            Act::Run { folder, words: words.iter().map(|word| fill(word)).collect(), is_check }
        }
        Act::Edit { change, path } => Act::Edit { change, path: fill(&path) },
    }
}

/// The command that checks, apart from the steps: the last that finds something out, or else the last that was run.
fn split_check(mut steps: Vec<Act>) -> (Vec<Act>, Option<String>) {
    if let Some(at) = steps.iter().rposition(|step| matches!(step, Act::Run { is_check: true, .. })) {
        let check = steps.remove(at);
        if steps.is_empty() {
            return (vec![check.clone()], Some(check.to_string()));
        }
        return (steps, Some(check.to_string()));
    }
    let check = steps.iter().rfind(|step| matches!(step, Act::Run { .. })).map(Act::to_string);
    (steps, check)
}

/// Whether the steps say something that any other task does not: commands of the task's own, new files, or a file that is changed
/// every time.
fn is_worth_it(steps: &[Act], inputs: &[Input], examples: &[Example]) -> bool {
    let is_named = |path: &str| {
        inputs.iter().filter(|input| path.contains(&format!("<{}>", input.name))).any(|input| {
            input
                .values
                .iter()
                .all(|value| examples.iter().any(|example| example.goal.to_lowercase().contains(&value.to_lowercase())))
        })
    };
    let tells = |step: &&Act| match step {
        Act::Run { is_check: true, .. } => false,
        Act::Run { words, .. } => !is_routine(words),
        Act::Edit { change, path } => change == "add" || !path.contains('<') || is_named(path),
    };
    let runs = steps.iter().filter(tells).any(|step| matches!(step, Act::Run { .. }));
    runs || steps.iter().filter(tells).count() >= 2
}

/// Whether a command belongs to any task: getting dependencies, formatting, committing.
fn is_routine(words: &[String]) -> bool {
    let line = words.join(" ");
    let is_git = program(words).is_some_and(|(_, program)| program == "git");
    is_git
        || matches!(goal(&line), Some(Goal::Install | Goal::Format))
        || line.starts_with("mkdir ")
        || line.starts_with("touch ")
}

/// What was asked for, in the person's words: the shortest request, with placeholders for what differs.
fn task(examples: &[Example], base: usize, inputs: &[Input]) -> String {
    let with_holes = |goal: &str| {
        let word = |word: &str| {
            let core = word.trim_matches(|c: char| !c.is_alphanumeric());
            let input = inputs.iter().find(|input| input.values.iter().any(|value| value.eq_ignore_ascii_case(core)));
            input
                .filter(|_| !core.is_empty())
                .map_or_else(|| word.to_owned(), |input| word.replacen(core, &format!("<{}>", input.name), 1))
        };
        goal.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
    };
    let goals = std::iter::once(&examples[base]).chain(examples).map(|example| with_holes(&example.goal));
    let says = |goal: &String| terms(goal).len() > 1;
    goals.filter(says).min_by_key(|goal| goal.chars().count()).unwrap_or_else(|| with_holes(&examples[base].goal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::skills::procedure::acts;
    use crate::evolution::stage::tests::{run, turn};
    use crate::protocol::learned::{CallRecord, FileTouched, Work};

    fn edit(change: &str, path: &str) -> CallRecord {
        let files = vec![FileTouched { path: path.into(), change: change.to_owned() }];
        CallRecord { work: Work::Edit, exit_code: None, files, ..run("", 0, "") }
    }

    fn example(goal: &str, calls: Vec<CallRecord>) -> Example {
        Example { goal: goal.to_owned(), acts: acts(&turn(1, goal, calls), Path::new("/repo")) }
    }

    fn shown(examples: &[Example]) -> Option<String> {
        let Procedure { task, steps, check, inputs } = generalise(examples)?;
        let steps: Vec<String> = steps.iter().map(Act::to_string).collect();
        let inputs: Vec<String> =
            inputs.iter().map(|input| format!("{}={}", input.name, input.values.join("|"))).collect();
        Some(format!("{task} // {} // {} // {}", steps.join("; "), check.unwrap_or_default(), inputs.join(", ")))
    }

    #[test]
    fn what_differs_becomes_an_input_named_as_the_person_names_it() {
        let add = |table: &str, number: u32| {
            example(
                &format!("Add a migration for the {table} table."),
                vec![
                    run("ls migrations", 0, ""),
                    run(&format!("./new-migration {table}"), 0, ""),
                    edit("add", &format!("migrations/{number:04}_{table}.sql")),
                    run("just t", 1, ""),
                    edit("update", "schema.md"),
                    run("just t", 0, ""),
                ],
            )
        };
        let two = [add("users", 1), add("orders", 2)];
        assert_eq!(
            shown(&two).unwrap(),
            "Add a migration for the <table> table. // ./new-migration <table>; migrations/<number>_<table>.sql; schema.md // just t \
             // table=users|orders, number=0001|0002"
        );
        let mut three = two.to_vec();
        three.push(add("items", 3));
        assert!(shown(&three).unwrap().ends_with("table=users|orders|items, number=0001|0002|0003"));
    }

    #[test]
    fn what_only_one_turn_did_is_no_step_and_other_commands_are_not_merged() {
        let release = |name: &str, more: &str| {
            example(
                &format!("release {name} now"),
                vec![
                    run(more, 0, ""),
                    run("just tag", 0, ""),
                    run(&format!("./publish --tag={name} -m 'new one'"), 0, ""),
                    run("just smoke", 0, ""),
                ],
            )
        };
        let found = shown(&[release("1.2.0", "npm login"), release("1.3.0", "just other")]).unwrap();
        assert_eq!(
            found,
            "release <release> now // just tag; ./publish --tag=<release> -m 'new one'; just smoke // just smoke // release=1.2.0|1.3.0"
        );
    }

    #[test]
    fn what_any_task_does_is_no_procedure() {
        let fix = |what: &str, file: &str| {
            let calls = vec![
                run("npm install", 0, ""),
                edit("update", file),
                run("cargo fmt", 0, ""),
                run("cargo test", 0, ""),
                run("git commit -m 'x y'", 0, ""),
            ];
            example(&format!("fix the {what} bug"), calls)
        };
        assert_eq!(shown(&[fix("parsing", "src/a.rs"), fix("lexing", "src/b.rs")]), None);
        let look = || example("look around", vec![run("ls", 0, "")]);
        assert_eq!(shown(&[look(), look()]), None);
        assert_eq!(shown(&[]), None);
        // Files that are changed together every time are one.
        let tool = |name: &str| {
            let calls = vec![
                edit("add", &format!("tools/{name}.json")),
                edit("update", "tools/list.txt"),
                run("cargo test", 0, ""),
            ];
            example(&format!("add the {name} tool"), calls)
        };
        assert_eq!(
            shown(&[tool("grep"), tool("find")]).unwrap(),
            "add the <tool> tool // tools/<tool>.json; tools/list.txt // cargo test // tool=grep|find"
        );
    }

    #[test]
    fn a_task_in_chinese_is_one_too() {
        let add = |table: &str| {
            example(
                &format!("给 {table} 表加一个迁移"),
                vec![run(&format!("./new-migration {table}"), 0, ""), run("just t", 0, "")],
            )
        };
        assert_eq!(
            shown(&[add("users"), add("orders")]).unwrap(),
            "给 <name> 表加一个迁移 // ./new-migration <name> // just t // name=users|orders"
        );
    }
}
