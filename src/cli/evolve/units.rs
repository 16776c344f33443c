//! What a timer takes to run reviews, as text. Pure.

/// The name of the systemd units, and the mark of the cron line.
pub const NAME: &str = "hone-evolve";
/// The label of the launchd job.
pub const LABEL: &str = "dev.hone.evolve";

/// How a text is written in a unit file: quoted, with what systemd would expand everywhere escaped.
fn unit_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"))
}

/// The systemd service that reviews.
#[must_use]
pub fn service(program: &str, home: &str) -> String {
    // Variables are expanded in the command alone.
    let program = unit_quoted(&program.replace('$', "$$"));
    let home = unit_quoted(&format!("CODEX_HOME={home}"));
    format!(
        "[Unit]\nDescription=Hone reviews turns and learns from them\n\n[Service]\nType=oneshot\nNice=10\n\
         Environment={home}\nExecStart={program} evolve run --all\n"
    )
}

/// The systemd timer that starts it.
#[must_use]
pub fn timer(hours: u32) -> String {
    format!(
        "[Unit]\nDescription=Hone reviews turns every {hours} h\n\n[Timer]\nOnActiveSec={hours}h\nOnUnitActiveSec={hours}h\n\
         RandomizedDelaySec=10min\n\n[Install]\nWantedBy=timers.target\n"
    )
}

/// The cron line. Cron gives `%` a meaning of its own.
#[must_use]
pub fn cron_line(program: &str, home: &str, hours: u32) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''")).replace('%', "\\%");
    let hour = if hours >= 24 { "4".to_owned() } else { format!("*/{hours}") };
    format!("17 {hour} * * * CODEX_HOME={} {} evolve run --all >/dev/null 2>&1 # {NAME}", quoted(home), quoted(program))
}

/// A crontab without our line, and with `line` when there is one.
#[must_use]
pub fn crontab(present: &str, line: Option<&str>) -> String {
    let mark = format!("# {NAME}");
    let others = present.lines().filter(|other| !other.ends_with(&mark)).chain(line);
    others.map(|line| format!("{line}\n")).collect()
}

/// The launchd job.
#[must_use]
pub fn launchd(program: &str, home: &str, hours: u32) -> String {
    let xml = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (program, home, seconds) = (xml(program), xml(home), u64::from(hours) * 3600);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n\
         <key>Label</key><string>{LABEL}</string>\n<key>ProgramArguments</key>\n<array>\n<string>{program}</string>\n\
         <string>evolve</string>\n<string>run</string>\n<string>--all</string>\n</array>\n\
         <key>EnvironmentVariables</key>\n<dict><key>CODEX_HOME</key><string>{home}</string></dict>\n\
         <key>StartInterval</key><integer>{seconds}</integer>\n</dict>\n</plist>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_quote_what_would_be_expanded() {
        insta::assert_snapshot!(format!(
            "{}---\n{}---\n{}\n---\n{}",
            service("/opt/my \"bin\"/hone", "/home/u/100%/.codex"),
            timer(6),
            cron_line("/opt/it's/hone", "/home/u/100%", 6),
            launchd("/opt/a&b/hone", "/Users/u/.codex", 24)
        ));
    }

    #[test]
    fn a_crontab_keeps_what_is_not_ours() {
        let line = cron_line("/bin/hone", "/h", 24);
        let with = crontab("0 1 * * * backup\n", Some(&line));
        assert_eq!(with, format!("0 1 * * * backup\n{line}\n"));
        assert_eq!(crontab(&with, Some(&line)), with);
        assert_eq!(crontab(&with, None), "0 1 * * * backup\n");
    }
}
