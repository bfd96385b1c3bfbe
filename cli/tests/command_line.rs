//! The command line from outside: exit codes, streams, and errors that say what to do.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Command, Output},
};

struct Prost {
    data_dir: PathBuf,
}

impl Prost {
    /// A binary with a data folder of its own that does not exist yet.
    fn new() -> Prost {
        let random = servers::new_secret();
        Prost { data_dir: std::env::temp_dir().join(format!("prost-cli-{}", &random[..12])) }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_prost"))
            .arg("--data-dir")
            .arg(&self.data_dir)
            .args(arguments)
            .env_remove("DATABASE_URL")
            .stdin(std::process::Stdio::null())
            .output()
            .expect("run the binary")
    }
}

impl Drop for Prost {
    fn drop(&mut self) {
        if self.data_dir.exists() {
            std::fs::remove_dir_all(&self.data_dir).expect("clean up");
        }
    }
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn data(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn wrong_usage_is_exit_code_2_and_nothing_on_stdout() {
    let prost = Prost::new();
    for wrong in [&["open"][..], &["up", "--port", "70000"], &["serve", "cellar"], &["serve"], &["migrate"]] {
        let output = prost.run(wrong);
        assert_eq!(code(&output), Some(2), "{wrong:?}");
        assert_eq!(data(&output), "", "{wrong:?}");
        assert!(!errors(&output).is_empty(), "{wrong:?}");
    }
    assert!(!prost.data_dir.exists(), "a wrong call leaves no trace");
}

#[test]
fn without_a_command_all_commands_are_told() {
    let bare = Command::new(env!("CARGO_BIN_EXE_prost")).env("PROST_DATA_DIR", "/nowhere").output().expect("run it");
    assert_eq!((code(&bare), data(&bare).as_str()), (Some(2), ""));
    for command in ["up", "doctor", "test", "chaos", "proof"] {
        assert!(errors(&bare).lines().any(|line| line.starts_with(&format!("  {command} "))), "{}", errors(&bare));
    }
}

#[test]
fn the_events_are_described_on_stdout() {
    let prost = Prost::new();
    let output = prost.run(&["asyncapi"]);
    assert_eq!((code(&output), data(&output).as_str()), (Some(0), asyncapi::DOCUMENT));
    assert!(!prost.data_dir.exists(), "no shop is needed");
}

#[test]
fn the_script_explains_its_own_commands() {
    for command in ["test", "chaos"] {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../prost");
        let output = Command::new(script).args(["help", command]).output().expect("run the script");
        let usage = format!("Usage: ./prost {command}");
        assert!(code(&output) == Some(0) && data(&output).contains(&usage), "{command}: {}", errors(&output));
    }
}

#[test]
fn the_data_folder_may_stand_in_the_environment() {
    let status = |named: &[&str]| {
        let mut prost = Command::new(env!("CARGO_BIN_EXE_prost"));
        let output = prost.args(named).args(["status", "--json"]).env("PROST_DATA_DIR", "/nowhere/shop").output();
        let told: serde_json::Value = serde_json::from_slice(&output.expect("run it").stdout).expect("status is JSON");
        told["data_dir"].clone()
    };
    assert_eq!(status(&[]), "/nowhere/shop");
    assert_eq!(status(&["--data-dir", "/nowhere/else"]), "/nowhere/else", "what is asked for counts");
}

#[test]
fn what_is_no_id_or_no_port_is_told_what_one_looks_like() {
    let prost = Prost::new();
    let wrong = [
        (&["saga", "show", "4711"][..], "an id such as"),
        (&["dlq", "show", "x"], "an id such as"),
        (&["outbox", "retry", "x"], "an id such as"),
        (&["up", "--port", "http"], "a number from 1 to 65529"),
        (&["up", "--port", "65530"], "a number from 1 to 65529"),
    ];
    for (arguments, told) in wrong {
        let output = prost.run(arguments);
        assert!(code(&output) == Some(2) && errors(&output).contains(told), "{arguments:?}: {}", errors(&output));
    }
}

#[test]
fn a_file_is_no_data_folder() {
    let prost = Prost::new();
    std::fs::write(&prost.data_dir, "a letter").expect("write a file");
    let output = prost.run(&["up", "--detach"]);
    std::fs::remove_file(&prost.data_dir).expect("clean up");
    assert_eq!(code(&output), Some(1));
    assert!(errors(&output).contains("is a file") && errors(&output).contains("--data-dir"), "{}", errors(&output));
}

const BEGINS_COLOUR: &str = "\u{1b}[";

/// A command as it looks on a terminal, which is told not to be colourful or is not told.
#[cfg(target_os = "linux")]
fn on_a_terminal(prost: &Prost, arguments: &str, no_color: Option<&str>) -> String {
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command"]);
    script.arg(format!("'{}' {arguments}", env!("CARGO_BIN_EXE_prost"))).arg("/dev/null");
    script
        .env("PROST_DATA_DIR", &prost.data_dir)
        .env_remove("DATABASE_URL")
        .env_remove("NO_COLOR")
        .envs(no_color.map(|value| ("NO_COLOR", value)))
        .env("TERM", "xterm");
    data(&script.stdin(std::process::Stdio::null()).output().expect("run script"))
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let prost = Prost::new();
    for arguments in [&["--help"][..], &["status"], &["doctor"], &["open"]] {
        let output = prost.run(arguments);
        let text = data(&output) + &errors(&output);
        assert!(!text.is_empty() && !text.contains(BEGINS_COLOUR), "{arguments:?} in a pipe: {text}");
    }
    #[cfg(target_os = "linux")]
    for arguments in ["--help", "open", "status", "doctor"] {
        assert!(on_a_terminal(&prost, arguments, None).contains(BEGINS_COLOUR), "{arguments} is plain");
        let text = on_a_terminal(&prost, arguments, Some("1"));
        assert!(!text.is_empty() && !text.contains(BEGINS_COLOUR), "{arguments} with NO_COLOR: {text}");
    }
}

/// `./prost test` with a cargo that only notes what it is asked, and ends like this; what it was asked.
fn tested(prost: &Prost, arguments: &[&str], ending: &str) -> (Output, String) {
    use std::os::unix::fs::PermissionsExt;
    let (cargo, asked) = (prost.data_dir.join("cargo"), prost.data_dir.join("asked"));
    std::fs::create_dir_all(&prost.data_dir).expect("make a folder");
    let script = r#"#!/bin/sh
case "$*" in
metadata*) exec "$REAL_CARGO" "$@" ;;
*--version) exit 0 ;;
esac
printf '%s\n' "$*" >>"$ASKED"
exit "$ENDING""#;
    std::fs::write(&cargo, script).expect("write a cargo");
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).expect("let it run");
    std::fs::write(&asked, "").expect("begin the notes");
    let path = format!("{}:{}", prost.data_dir.display(), std::env::var("PATH").expect("a path"));
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../prost"))
        .arg("test")
        .args(arguments)
        .env("PATH", path)
        .env("REAL_CARGO", std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .env("ASKED", &asked)
        .env("ENDING", ending)
        .env_remove("CI")
        .output()
        .expect("run the script");
    (output, std::fs::read_to_string(&asked).expect("read the notes"))
}

#[test]
fn quick_tests_are_those_that_need_no_server() {
    let prost = Prost::new();
    let (output, asked) = tested(&prost, &["--quick"], "0");
    assert!(code(&output) == Some(0) && data(&output).contains("PASSED"), "{}", errors(&output));
    assert_eq!(asked.lines().count(), 1, "{asked}");
    assert!(asked.contains("--workspace") && asked.contains("--lib --bins"), "{asked}");
    let (output, _) = tested(&prost, &["--quick"], "100");
    assert!(code(&output) == Some(1) && data(&output).contains("FAILED"), "{}", data(&output));
    let (output, asked) = tested(&prost, &["--slow"], "0");
    assert_eq!((code(&output), asked.as_str()), (Some(2), ""), "{}", errors(&output));
}

#[test]
fn where_there_is_no_shop_down_status_and_reset_say_so_and_make_nothing() {
    let prost = Prost::new();
    for harmless in ["down", "status", "reset"] {
        let output = prost.run(&[harmless]);
        assert_eq!(code(&output), Some(0), "{harmless}: {}", errors(&output));
        assert!(!data(&output).is_empty(), "{harmless}");
    }
    let status: serde_json::Value =
        serde_json::from_slice(&prost.run(&["status", "--json"]).stdout).expect("status is JSON");
    assert_eq!(status["running"], false);
    assert_eq!(status["ready"], false);
    assert!(!prost.data_dir.exists());
}

#[test]
fn commands_that_need_a_database_name_three_ways_to_get_one() {
    let prost = Prost::new();
    for command in [&["seed"][..], &["migrate", "status"], &["users", "promote", "a@example.org"]] {
        let output = prost.run(command);
        assert_eq!(code(&output), Some(1), "{command:?}");
        for way in ["./prost up", "--data-dir", "DATABASE_URL"] {
            assert!(errors(&output).contains(way), "{command:?}: {}", errors(&output));
        }
    }
}

#[test]
fn a_taken_port_is_an_error_with_number_holder_and_option() {
    let prost = Prost::new();
    let listener = (21_000..65_000).find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).expect("a free port");
    let port = listener.local_addr().expect("address").port().to_string();
    for arguments in [&["up", "--port", &port][..], &["up", "--detach", "--port", &port]] {
        let output = prost.run(arguments);
        assert_eq!(code(&output), Some(1));
        assert!(errors(&output).contains(&port), "{}", errors(&output));
        assert!(errors(&output).contains("--port"), "{}", errors(&output));
        if cfg!(target_os = "linux") {
            assert!(errors(&output).contains(&std::process::id().to_string()), "{}", errors(&output));
        }
    }
}

#[test]
fn a_folder_of_somebody_elses_files_is_neither_used_nor_deleted() {
    let prost = Prost::new();
    std::fs::create_dir_all(&prost.data_dir).expect("create");
    std::fs::write(prost.data_dir.join("thesis.txt"), "mine").expect("write");
    for command in [&["up"][..], &["reset", "--yes"]] {
        let output = prost.run(command);
        assert_eq!(code(&output), Some(1), "{command:?}");
        assert!(errors(&output).contains("--data-dir"), "{}", errors(&output));
    }
    let left: Vec<_> = std::fs::read_dir(&prost.data_dir).expect("read").flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_log_that_cannot_be_kept_as_asked_is_refused_by_name() {
    for (variable, value) in [("LOG_FORMAT", "xml"), ("RUST_LOG", "=x=")] {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_prost"));
        let output = serve.args(["serve", "users"]).env_clear().env(variable, value).output().expect("run the binary");
        assert_eq!(code(&output), Some(1), "{variable}");
        assert!(errors(&output).contains(&format!("{variable}=\"{value}\"")), "{}", errors(&output));
    }
}
