//! What the shop says in its log while it is tested, and what it may not say there.

use std::fs::{self, File};
use std::path::PathBuf;

use uuid::Uuid;

use super::things::{PASSWORD, address};

/// Beginnings of tokens and of hashes of passwords.
pub const SECRETS: [&str; 3] = ["eyJ0eXAi", "eyJhbGci", "$2b$10$"];

/// Errors that tests make themselves: letters that nobody can read, and sagas that are stuck by hand.
const MADE_BY_TESTS: [&str; 2] = [
    "messaging::consumer: a message is parked in the dead-letter queue",
    "orders::reconciliation: an order and its payment",
];

/// A log in a file of its own, deleted when it is dropped.
pub struct Log(PathBuf);

impl Log {
    /// The log, and the file that a shop is to write.
    pub fn new() -> (Log, File) {
        let path = std::env::temp_dir().join(format!("prost-log-{}", Uuid::now_v7().simple()));
        let file = File::create(&path).expect("make a log");
        (Log(path), file)
    }

    pub fn read(&self) -> String {
        fs::read_to_string(&self.0).expect("read the log")
    }

    /// What is wrong with it after requests of which none was our fault: errors, panics, lines that somebody else began,
    /// secrets, and these texts that were sent.
    pub fn complaints(&self, sent: &[&str]) -> Vec<String> {
        let log = self.read();
        assert!(log.contains("request refused"), "the log says too little to prove anything");
        let address = address();
        let private = ["full_name", "line1", "city", "phone"].map(|line| address[line].as_str().expect("a line"));
        let unsaid: Vec<&str> =
            SECRETS.iter().chain(&private).chain(&[PASSWORD, "panicked"]).chain(sent).copied().collect();
        let is_bad = |line: &&str| {
            let is_made = MADE_BY_TESTS.iter().any(|made| line.contains(made));
            level(line).is_none_or(|level| level == "ERROR" && !is_made)
                || line.contains(char::is_control)
                || unsaid.iter().any(|text| line.contains(text))
        };
        log.lines()
            .filter(is_bad)
            .map(|line| format!("logged: {}", line.chars().take(600).collect::<String>()))
            .collect()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            eprintln!("cannot delete {}: {error}", self.0.display());
        }
    }
}

/// `2026-01-31T12:00:00.000000Z  INFO target: what happened` is of level INFO.
fn level(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let time = words.next()?;
    let level = words.next()?;
    (time.ends_with('Z') && ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&level)).then_some(level)
}
