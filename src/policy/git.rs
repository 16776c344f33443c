//! What git does that writes nothing.

use super::options::is_option_of;
use super::shell::Word;

/// Subcommands that only read, unless one of [`ACTS`] is among their options.
const READS: &[&str] = &[
    "blame",
    "cat-file",
    "check-ignore",
    "count-objects",
    "describe",
    "diff",
    "diff-files",
    "diff-index",
    "diff-tree",
    "for-each-ref",
    "grep",
    "log",
    "ls-files",
    "ls-tree",
    "merge-base",
    "name-rev",
    "rev-list",
    "rev-parse",
    "shortlog",
    "show",
    "show-ref",
    "status",
    "version",
    "whatchanged",
];

/// Options that write a file or run a program.
const ACTS: &[&str] = &[
    "--output",
    "--ext-diff",
    "--textconv",
    "--filters",
    "--open-files-in-pager",
    "--show-signature",
    "--exec",
    "--paginate",
];

/// Options with which `branch` and `tag` list.
const LISTS: &[&str] = &[
    "-a",
    "-r",
    "-v",
    "-vv",
    "-l",
    "-n",
    "--all",
    "--list",
    "--remotes",
    "--show-current",
    "--no-color",
    "--no-column",
    "--verbose",
];

/// Whether `git` with these arguments is known to read only.
#[must_use]
pub fn is_read_only(args: &[Word]) -> bool {
    let args: Vec<&Word> =
        args.iter().skip_while(|word| matches!(&*word.text, "--no-pager" | "--no-optional-locks")).collect();
    let Some((command, args)) = args.split_first() else { return true };
    if !command.fixed {
        return false;
    }
    let acts = |word: &&&Word| is_option_of(word, ACTS) || word.text.contains("%G");
    if args.iter().any(|word| acts(&word)) {
        return false;
    }
    let first = args.first().map(|word| word.text.as_str());
    let is_listing = |word: &&&Word| {
        LISTS.contains(&&*word.text) || word.text.starts_with("--sort=") || word.text.starts_with("--format=")
    };
    match command.text.as_str() {
        "grep" => !args.iter().any(|word| word.text.starts_with("-O")),
        name if READS.contains(&name) => true,
        "--version" => true,
        // To older versions `-l NAME` makes a branch.
        "branch" => match first {
            Some("--list" | "--contains" | "--merged" | "--no-merged") => {
                args.iter().all(|word| !word.text.starts_with('-') || is_listing(&word) || Some(&*word.text) == first)
            }
            _ => args.iter().all(|word| is_listing(&word)),
        },
        "tag" => match first {
            Some("--list" | "-l" | "-n") => args.iter().all(|word| !word.text.starts_with('-') || is_listing(&word)),
            _ => args.is_empty(),
        },
        "remote" => matches!(first, None | Some("-v" | "--verbose")) && args.len() <= 1 || first == Some("get-url"),
        "stash" => matches!(first, Some("list" | "show")),
        "worktree" => first == Some("list"),
        "reflog" => matches!(first, None | Some("show")),
        "config" => {
            let reads = ["--get", "--get-all", "--get-regexp", "--list", "-l"];
            first.is_some_and(|first| reads.contains(&first))
                && args.iter().skip(1).all(|word| !word.text.starts_with('-'))
        }
        _ => false,
    }
}
