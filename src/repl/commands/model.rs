//! `/model`.

use std::time::Duration;

use super::{Command, WhileBusy};
use crate::model::models;
use crate::repl::console::Console;
use crate::runtime::Change;

/// The command.
pub const COMMAND: Command = Command {
    name: "/model",
    aliases: &[],
    argument: "[NAME]",
    help: "show or change the model",
    while_busy: WhileBusy::Shows("change model"),
    run: |console, name| Box::pin(model(console, name)),
};

/// How long a provider may take to tell its models.
const PATIENCE: Duration = Duration::from_secs(2);

async fn model(console: &mut Console, name: &str) {
    if name.is_empty() {
        let current = console.session.as_ref().map(|session| session.info().model.clone()).unwrap_or_default();
        let listed = tokio::time::timeout(PATIENCE, models::list(console.runtime.provider())).await;
        let available = match listed {
            Ok(Ok(models)) if !models.is_empty() => format!("\nAvailable models: {}", models.join(", ")),
            _ => String::new(),
        };
        return console.say(&format!("Current model: {current}{available}"));
    }
    if name.contains(char::is_whitespace) {
        return console.say("Usage: /model [NAME]");
    }
    console.change(Change::Model(name.to_owned())).await;
    console.say(&format!("Switched model to {name}."));
}
