//! What is to be done in a repository, and the rule about it that nobody can see.

/// How often each task comes up.
pub const ROUNDS: usize = 5;
/// The first round in which what changes has changed.
pub const CHANGE: usize = 3;

/// Something to do.
#[derive(Clone, Debug)]
pub struct Task {
    /// The kind of rule that hides in it.
    pub rule: &'static str,
    /// What the person asks.
    pub ask: &'static str,
    /// The ways to do it; the first is what anybody would try.
    pub choices: Vec<Choice>,
    /// Which way is right, by round.
    pub right: [usize; ROUNDS],
    /// How the rule is said: by the person when it was broken, or by whoever knows it.
    pub statement: Statement,
    /// Whether the tools of ways that are not right any more are taken away.
    pub clears: bool,
}

/// Who tells of a rule.
#[derive(Clone, Copy, Debug)]
pub enum Statement {
    /// The person, by a sentence with the right way and the wrong one in it.
    Said(fn(&str, &str) -> String),
    /// Nobody: the wrong way fails.
    Fails,
    /// Nobody: the obvious way is right, whatever a file says.
    Never,
}

/// A way to do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What a sentence calls it.
    pub name: String,
    /// What is done.
    pub act: Act,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Runs a command.
    Run(String),
    /// Says this.
    Answer(String),
}

impl Task {
    /// What tells of the rule that holds in `round`; `None` when there is nothing to tell.
    pub fn truth(&self, round: usize) -> Option<String> {
        self.sentence(self.right[round])
    }

    /// What tells, falsely, of a way that is never right.
    pub fn lie(&self) -> String {
        let wrong = self.choices.len() - 1;
        self.sentence(wrong).unwrap_or_else(|| format!("Always use {}, never {}.", self.name(wrong), self.name(0)))
    }

    fn sentence(&self, choice: usize) -> Option<String> {
        // What the obvious way is right in place of is what was right before.
        let other = if choice == 0 { self.right[0].max(1) } else { 0 };
        match self.statement {
            Statement::Said(sentence) => Some(sentence(self.name(choice), self.name(other))),
            Statement::Fails => {
                Some(format!("{} failed here (exit 2); {} worked.", self.name(other), self.name(choice)))
            }
            Statement::Never => None,
        }
    }

    /// What the person says when the way that was taken in `round` was the wrong one.
    pub fn correction(&self, round: usize) -> Option<String> {
        match self.statement {
            Statement::Said(_) => self.truth(round).map(|truth| format!("No. {truth}")),
            Statement::Fails | Statement::Never => None,
        }
    }

    fn name(&self, choice: usize) -> &str {
        &self.choices[choice].name
    }

    /// The scripts of the repository that stand for its tools, as they are in `round`; `None` for one that is gone.
    pub fn scripts(&self, round: usize) -> Vec<(String, Option<String>)> {
        let right = match &self.choices[self.right[round]].act {
            Act::Run(command) => command,
            Act::Answer(_) => return Vec::new(),
        };
        let file = |choice: &Choice| match &choice.act {
            Act::Run(command) => Some(command.rsplit("&& ").next()?.strip_prefix("./")?.split(' ').next()?.to_owned()),
            Act::Answer(_) => None,
        };
        let right = right.rsplit("&& ").next().unwrap_or(right);
        // A tool that is used the wrong way says how it is used; which tool is used here, it does not know.
        let usage = if matches!(self.statement, Statement::Fails) { right } else { "another way" };
        let script = format!(
            "#!/bin/sh\n[ \"./${{0##*/}}${{1:+ }}$*\" = '{right}' ] && exit 0\necho 'error: this is done by {usage}' >&2\nexit 2\n"
        );
        let gone = |number: usize| self.clears && round >= CHANGE && number > 0;
        let scripts = self
            .choices
            .iter()
            .enumerate()
            .filter_map(|(number, choice)| Some((file(choice)?, (!gone(number)).then(|| script.clone()))));
        scripts.collect()
    }
}

/// The tasks of the `seed`th repository. In another one, `elsewhere`, the obvious is right throughout.
pub fn tasks(seed: u64, elsewhere: bool) -> Vec<Task> {
    let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut tasks = vec![
        check(&mut draw),
        flag(&mut draw),
        renamed(&mut draw),
        folder(&mut draw),
        preference(&mut draw),
        decoy(&mut draw),
        flips(&mut draw, seed),
        mended(&mut draw),
        removed(&mut draw),
    ];
    if elsewhere {
        // The person is the same there, and so is what they like.
        let rules = tasks.iter_mut().filter(|task| task.rule != PREFERENCE);
        rules.for_each(|task| task.right = [0; ROUNDS]);
    }
    tasks
}

/// The rule that goes where the person goes.
pub const PREFERENCE: &str = "a preference of the person";
/// The rule that is none.
pub const DECOY: &str = "a false decoy in a file";

/// The order in which the tasks come up in a round.
pub fn order(seed: u64, round: usize, count: usize) -> Vec<usize> {
    let mut draw = Draw(seed.wrapping_mul(31).wrapping_add(round as u64 + 1));
    let mut order: Vec<usize> = (0..count).collect();
    for at in (1..count).rev() {
        order.swap(at, draw.below(at + 1));
    }
    order
}

fn run(name: &str, command: String) -> Choice {
    Choice { name: name.to_owned(), act: Act::Run(command) }
}

/// Tools by their commands.
fn tools(commands: &[&str]) -> Vec<Choice> {
    commands.iter().map(|command| run(&format!("`{command}`"), (*command).to_owned())).collect()
}

fn check(draw: &mut Draw) -> Task {
    let [right, wrong] = draw.two(&["./verify all", "./inspect", "./dev check", "./gate --full"]);
    Task {
        rule: "the command that checks",
        ask: "Run the tests.",
        choices: tools(&["./test", right, wrong]),
        right: [1; ROUNDS],
        clears: false,
        statement: Statement::Said(|right, wrong| format!("We run tests with {right}, never {wrong}.")),
    }
}

fn flag(draw: &mut Draw) -> Task {
    let [right, wrong] = draw.two(&["--frozen", "--no-cache", "--release-lock", "--vendored"]);
    Task {
        rule: "a build flag",
        ask: "Build it.",
        choices: tools(&["./build", &format!("./build {right}"), &format!("./build {wrong}")]),
        right: [1; ROUNDS],
        clears: false,
        statement: Statement::Fails,
    }
}

fn renamed(draw: &mut Draw) -> Task {
    let [right, wrong] = draw.two(&["fetch_all", "read_rows", "open_table", "collect_items"]);
    let choice =
        |name: &str| run(&format!("`{name}`"), format!("mkdir -p src && printf '%s()\\n' {name} >> src/caller.txt"));
    Task {
        rule: "a renamed function",
        ask: "Add a caller of the loader function.",
        choices: ["load_items", right, wrong].map(choice).to_vec(),
        right: [1; ROUNDS],
        clears: false,
        statement: Statement::Said(|right, wrong| format!("Use {right} instead of {wrong} for the loader function.")),
    }
}

fn folder(draw: &mut Draw) -> Task {
    let [obvious, third] = draw.two(&["vendor", "generated", "third_party", "dist"]);
    let choice =
        |name: &str| run(&format!("`{name}/`"), format!("mkdir -p {name} && printf 'the\\n' > {name}/parser.txt"));
    Task {
        rule: "a forbidden folder",
        ask: "Fix the typo in parser.txt.",
        choices: [obvious, "src", third].map(choice).to_vec(),
        right: [1; ROUNDS],
        clears: false,
        statement: Statement::Said(|right, wrong| {
            format!("Never edit files like parser.txt in {wrong}, edit those in {right}.")
        }),
    }
}

fn preference(draw: &mut Draw) -> Task {
    let [right, wrong] =
        draw.two(&[("German", "Fertig."), ("French", "Fini."), ("Spanish", "Listo."), ("Latin", "Paratum.")]);
    let choice =
        |(name, answer): (&str, &str)| Choice { name: format!("in {name}"), act: Act::Answer(answer.to_owned()) };
    Task {
        rule: PREFERENCE,
        ask: "Give me one word when your answers are ready.",
        choices: [("English", "Ready."), right, wrong].map(choice).to_vec(),
        right: [1; ROUNDS],
        clears: false,
        statement: Statement::Said(|right, _| format!("I prefer answers {right}.")),
    }
}

fn decoy(draw: &mut Draw) -> Task {
    let [decoy, _] = draw.two(&["./legacy-lint", "./old-lint", "./lint2", "./lint-all"]);
    let choice = |command: &str| run(&format!("`{command}`"), format!("cat README.md && {command}"));
    Task {
        rule: DECOY,
        ask: "Lint it.",
        choices: ["./lint", decoy].map(choice).to_vec(),
        right: [0; ROUNDS],
        clears: false,
        statement: Statement::Never,
    }
}

fn flips(draw: &mut Draw, seed: u64) -> Task {
    let [first, second] = draw.two(&["./tidy", "./prettify --all", "./fmt-all", "./style fix"]);
    // Every other repository goes back to what anybody would do, where having learned something is no help at all.
    let then = if seed.is_multiple_of(2) { 2 } else { 0 };
    let mut right = [1; ROUNDS];
    right[CHANGE..].fill(then);
    Task {
        rule: "a rule that flips",
        ask: "Format the sources.",
        choices: tools(&["./fmt", first, second, "./fmt --never"]),
        right,
        clears: false,
        statement: Statement::Said(|right, wrong| format!("From now on we format with {right}, never {wrong}.")),
    }
}

fn mended(draw: &mut Draw) -> Task {
    let [flag, wrong] = draw.two(&["--safe", "--slow", "--one-thread", "--plain"]);
    let mut right = [1; ROUNDS];
    right[CHANGE..].fill(0);
    Task {
        rule: "a failure that is mended",
        ask: "Generate the schema.",
        choices: tools(&["./gen schema", &format!("./gen schema {flag}"), &format!("./gen schema {wrong}")]),
        right,
        clears: false,
        statement: Statement::Fails,
    }
}

fn removed(draw: &mut Draw) -> Task {
    let [right, wrong] = draw.two(&["./mkdocs build", "./book build", "./site build", "./press build"]);
    let mut rights = [1; ROUNDS];
    rights[CHANGE..].fill(0);
    Task {
        rule: "a tool that is taken away",
        ask: "Make the docs.",
        choices: tools(&["./docs build", right, wrong]),
        right: rights,
        clears: true,
        statement: Statement::Fails,
    }
}

/// SplitMix64: a few lines, the same everywhere.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// Two different ones.
    fn two<T: Copy, const N: usize>(&mut self, of: &[T; N]) -> [T; 2] {
        let first = self.below(N);
        [of[first], of[(first + 1 + self.below(N - 1)) % N]]
    }
}
