//! One row of the table.

/// The head of the table.
pub const HEAD: &str = "| what | median | min – max | memory |\n|---|---|---|---|";

/// What was measured: a number a run, and memory where it matters.
pub struct Row {
    unit: &'static str,
    values: Vec<f64>,
    memory: Option<f64>,
}

impl Row {
    /// A row of `values`, which are not empty, in `unit`.
    pub fn new(unit: &'static str, mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self { unit, values, memory: None }
    }

    /// The same row with memory in MB, as far as it could be seen.
    pub fn with_memory(self, memory: Option<f64>) -> Self {
        Self { memory, ..self }
    }

    /// The row as a line of Markdown.
    pub fn line(&self, name: &str) -> String {
        let Self { unit, values, memory } = self;
        let (min, max) = (values[0], values[values.len() - 1]);
        let median = f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]);
        let memory = memory.map_or_else(|| "–".to_owned(), |megabytes| format!("{} MB", digits(megabytes)));
        format!("| {name} | {} {unit} | {} – {} | {memory} |", digits(median), digits(min), digits(max))
    }
}

/// Three digits that count.
fn digits(value: f64) -> String {
    let places = match value.abs() {
        0.0..1.0 => 3,
        1.0..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{value:.places$}")
}
