//! Data on stdout, progress on stderr. No spinner and no colour off a terminal or under `NO_COLOR`.

use std::{
    io::{ErrorKind, IsTerminal, Write},
    sync::Mutex,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use servers::Progress;

use crate::error::{Error, Result};

/// How each line of progress begins off a terminal; `up --detach` recognises its child's lines by it.
pub const MARK: &str = "prost: ";

/// Writes data to stdout; a reader that has gone away (`| head`) is no error.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::system("writing to stdout")(error)),
        _ => Ok(()),
    }
}

/// Writes one JSON document to stdout.
pub fn print_json(data: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(data)
        .map_err(|error| Error::failed(format!("cannot write JSON: {error}"), "Report this: it is a defect"))?;
    print(&format!("{text}\n"))
}

/// Progress on stderr: on a terminal a spinner beside the current step, else a line per step.
pub fn progress() -> Progress {
    if !std::io::stderr().is_terminal() || is_dumb() {
        return Progress::new(|step| {
            if !step.is_empty() {
                eprintln!("{MARK}{step}");
            }
        });
    }
    let current: Mutex<Option<Spinner>> = Mutex::new(None);
    Progress::new(move |step| {
        let mut current = current.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(current.take());
        if !step.is_empty() {
            *current = Some(Spinner::new(step));
        }
    })
}

/// Ends the spinner of the last step.
pub fn finish(progress: &Progress) {
    progress.step("");
}

struct Spinner(ProgressBar);

impl Spinner {
    fn new(step: &str) -> Spinner {
        let bar = ProgressBar::new_spinner().with_message(step.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Spinner(bar)
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        let step = self.0.message();
        let seconds = self.0.elapsed().as_secs_f32();
        self.0.finish_and_clear();
        if seconds >= 0.1 {
            eprintln!("· {step} ({seconds:.1} s)");
        } else {
            eprintln!("· {step}");
        }
    }
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term == "dumb")
}

/// Colours for stdout, or none.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    is_colourful: bool,
}

impl Paint {
    /// No colours, for files.
    pub fn none() -> Paint {
        Paint { is_colourful: false }
    }

    /// Colours if stdout is a terminal that wants them.
    pub fn for_stdout() -> Paint {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Paint { is_colourful: std::io::stdout().is_terminal() && !refused && !is_dumb() }
    }

    /// Headings.
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Good news.
    pub fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// Warnings.
    pub fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Bad news.
    pub fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.is_colourful { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Asks on the terminal; anything but `y` or `yes` is a no. Without a terminal nobody can answer: `None`.
pub fn confirm(question: &str) -> Result<Option<bool>> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(Error::system("reading the answer"))?;
    Ok(Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
}

/// Columns aligned with two spaces between them, one line per row.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    rows.iter()
        .map(|row| {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
            format!("{}\n", cells.join("  ").trim_end())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_aligned() {
        let rows = [vec!["a".to_owned(), "bb".to_owned()], vec!["ccc".to_owned(), "d".to_owned()]];
        assert_eq!(table(&rows), "a    bb\nccc  d\n");
    }
}
