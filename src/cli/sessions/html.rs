//! A transcript as a page that needs nothing else: no script, no font, no address is loaded.

use super::transcript::{self, Piece};
use super::words::name;
use crate::cli::terminal::escape;
use crate::protocol::UserError;
use crate::rollout::index::SessionSummary;

const STYLE: &str = include_str!("page.css");

/// The page of a session.
pub(super) fn page(session: &SessionSummary) -> Result<String, UserError> {
    let title = escape(&name(session));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n<h1>{title}</h1>\n<p class=\"about\">{} · {} · {}{}</p>\n",
        session.id,
        escape(&session.created),
        escape(&session.cwd.display().to_string()),
        session.model.as_deref().map(|model| format!(" · {}", escape(model))).unwrap_or_default(),
    );
    transcript::read(&session.path, |piece| page.push_str(&section(&piece)), |_| {})?;
    page.push_str("</html>\n");
    Ok(page)
}

fn section(piece: &Piece) -> String {
    match piece {
        Piece::Person(text) => format!("<section class=\"person\">{}</section>\n", prose(text)),
        Piece::Model(text) => format!("<section class=\"model\">{}</section>\n", prose(text)),
        Piece::Call(line) => format!("<p class=\"call\"><code>{}</code></p>\n", escape(line)),
        Piece::Output(text) if text.trim().is_empty() => String::new(),
        Piece::Output(text) => format!(
            "<details><summary>{} lines</summary><pre>{}</pre></details>\n",
            text.trim_end().lines().count(),
            escape(text.trim_end())
        ),
        Piece::Note(text) => format!("<p class=\"note\">{}</p>\n", escape(text)),
    }
}

/// A message: its fenced code as code, everything else as it was typed.
fn prose(text: &str) -> String {
    let mut html = String::new();
    let mut fence: Option<&str> = None;
    let mut block = String::new();
    for line in text.trim().lines() {
        let mark = line.trim_start();
        let ticks = &mark[..mark.len() - mark.trim_start_matches('`').len()];
        match fence {
            None if ticks.len() >= 3 => {
                flush(&mut html, &mut block, "div");
                fence = Some(ticks);
            }
            Some(open) if ticks.len() >= open.len() && mark.trim_end() == ticks => {
                flush(&mut html, &mut block, "pre");
                fence = None;
            }
            _ => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    flush(&mut html, &mut block, if fence.is_some() { "pre" } else { "div" });
    html
}

fn flush(html: &mut String, block: &mut String, tag: &str) {
    let text = if tag == "pre" { block.trim_end() } else { block.trim() };
    if !text.is_empty() {
        html.push_str(&format!("<{tag}>{}</{tag}>", escape(text)));
    }
    block.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_set_apart_and_nothing_is_markup() {
        assert_eq!(
            prose("see <b>:\n```rust\nlet a = 1 < 2;\n```\ndone"),
            "<div>see &lt;b&gt;:</div><pre>let a = 1 &lt; 2;</pre><div>done</div>"
        );
        assert_eq!(prose("````\n```\n````"), "<pre>```</pre>");
        assert_eq!(prose("```\nnever closed"), "<pre>never closed</pre>");
        assert_eq!(escape("\u{1b}[31m\"&\u{7}"), "␛[31m&quot;&amp;");
    }
}
