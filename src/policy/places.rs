//! Paths as a policy sees them: by their names alone, without looking at the disk.

use std::path::{Component, Path, PathBuf};

use super::settings::Settings;

/// Files that decide what programs do later, for the person and not for this command.
const SENSITIVE: &[(&str, &str)] = &[
    (".bashrc", "a shell start file"),
    (".bash_profile", "a shell start file"),
    (".bash_login", "a shell start file"),
    (".bash_logout", "a shell start file"),
    (".profile", "a shell start file"),
    (".zshrc", "a shell start file"),
    (".zshenv", "a shell start file"),
    (".zprofile", "a shell start file"),
    (".zlogin", "a shell start file"),
    ("config.fish", "a shell start file"),
    ("authorized_keys", "who may log in"),
    (".gitconfig", "git's own configuration"),
    ("/.git/hooks", "a hook that git runs"),
    ("/.git/config", "git's own configuration"),
    ("/.codex", "the agent's own configuration"),
    ("/.agents", "the agent's own instructions"),
    ("/.ssh", "the person's keys"),
    ("/etc/passwd", "the system's accounts"),
    ("/etc/shadow", "the system's accounts"),
    ("/etc/sudoers", "who may act as root"),
    ("/etc/profile", "a shell start file"),
    ("/etc/cron", "what runs by itself"),
    ("/etc/ld.so.preload", "what every program loads"),
    ("/LaunchAgents/", "what runs by itself"),
    ("/autostart/", "what runs by itself"),
    ("/systemd/", "what runs by itself"),
];

/// The path a word means, absolute and without `..`. `None` when it depends on more than the folder and the home.
#[must_use]
pub fn resolve(text: &str, cwd: &Path, home: Option<&Path>) -> Option<PathBuf> {
    let in_home = ["$HOME", "${HOME}", "~"].iter().find_map(|name| text.strip_prefix(name));
    let path = match in_home {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            home.unwrap_or(Path::new("/home/person")).join(rest.trim_start_matches('/'))
        }
        _ if text.starts_with('~') || text.contains('$') => return None,
        _ => cwd.join(text),
    };
    Some(normal(&path))
}

fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// What a text names that nobody but the person should write, wherever in the text it stands.
#[must_use]
pub fn sensitive(text: &str) -> Option<&'static str> {
    let of_path = |c: char| c.is_alphanumeric() || "._-~/{}$".contains(c);
    text.split(|c| !of_path(c)).filter(|piece| !piece.is_empty()).find_map(|piece| {
        let mut path = format!("/{piece}").replace("/./", "/");
        while path.contains("//") {
            path = path.replace("//", "/");
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        SENSITIVE.iter().find_map(|(mark, what)| {
            let found = match mark.starts_with('/') {
                true if mark.ends_with('/') || *mark == "/etc/cron" => path.contains(mark),
                true => path
                    .find(mark)
                    .is_some_and(|at| matches!(path[at + mark.len()..].chars().next(), None | Some('/' | '.'))),
                false => name == *mark,
            };
            found.then_some(*what)
        })
    })
}

/// What makes deleting (or giving away) everything at a place a loss beyond the work at hand.
#[must_use]
pub fn loss(text: &str, cwd: &Path, settings: &Settings) -> Option<&'static str> {
    let home = settings.home.as_deref();
    let star = text.trim_end_matches(['*', '.']).is_empty() && text.contains('*');
    if star {
        return Some("everything in the folder");
    }
    let Some(path) =
        resolve(text.strip_suffix("/*").map_or(text, |rest| if rest.is_empty() { "/" } else { rest }), cwd, home)
    else {
        return Some("a place that is only known when it runs");
    };
    if path == Path::new("/") {
        return Some("the whole machine");
    }
    if home.is_some_and(|home| home.starts_with(&path)) || (home.is_none() && text.starts_with('~')) {
        return Some("the home folder");
    }
    if cwd.starts_with(&path) || settings.writable.iter().any(|root| root.starts_with(&path)) {
        return Some("the whole workspace");
    }
    if path.components().count() <= 2 {
        return Some("a folder of the system");
    }
    if !path.starts_with(cwd) && !settings.writable.iter().any(|root| path.starts_with(root)) {
        return Some("a place outside the workspace");
    }
    if settings.protected.iter().any(|kept| path.starts_with(kept) || kept.starts_with(&path)) || path.ends_with(".git")
    {
        return Some("what is protected in the workspace");
    }
    None
}

/// Whether a file may be written under the settings.
#[must_use]
pub fn is_writable(path: &Path, settings: &Settings) -> bool {
    let path = normal(path);
    settings.writable.iter().any(|root| path.starts_with(root))
        && !settings.protected.iter().any(|kept| path.starts_with(kept))
}
