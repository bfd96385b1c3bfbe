//! `prost-sim`: explores, simulates, plays a failing seed again, and tries mutants out.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use proof::model::small_shops;
use proof::mutants::{Copy, Fate, Mutant};
use proof::setup::Mistake;
use proof::simulation::{Broken, Report, simulate};
use stateright::{Checker, Model};

/// Proves that no order is lost, doubled or oversold, in a model that runs the product's own decisions.
#[derive(Parser)]
#[command(name = "prost-sim")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Every order of events in small shops
    Explore {
        /// Stop in each shop after so many states; all of them unless told
        #[arg(long)]
        states: Option<usize>,
    },
    /// Large shops with random events
    Simulate {
        /// How many seeds
        #[arg(long, default_value_t = 100_000)]
        seeds: u64,
        /// The first one
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// Plays one seed and prints everything that happens
    Seed {
        /// Which
        seed: u64,
    },
    /// Breaks one rule of the model after the other, and tells who notices
    Mistakes,
    /// Breaks the product's own code, and tells whether the named tests notice
    Mutants {
        /// Which; all of them unless told
        names: Vec<String>,
        /// Where the copy and its builds lie
        #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/mutants"))]
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let ended_well = match Arguments::parse().command {
        Command::Explore { states } => explore(states),
        Command::Simulate { seeds, from } => simulate_all(from, seeds),
        Command::Seed { seed } => play(seed),
        Command::Mistakes => mistakes(),
        Command::Mutants { names, folder } => mutants(&names, &folder).unwrap_or_else(|error| {
            eprintln!("error: {error}");
            false
        }),
    };
    if ended_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn explore(states: Option<usize>) -> bool {
    let mut total = 0;
    let mut well = true;
    for shop in small_shops(None) {
        let begun = Instant::now();
        let name = shop.name;
        eprintln!("exploring: {name}");
        let mut checker = shop.checker().threads(std::thread::available_parallelism().map_or(1, Into::into));
        if let Some(states) = states {
            checker = checker.target_state_count(states);
        }
        let checked = checker.spawn_bfs().join();
        let (unique, seconds) = (checked.unique_state_count(), begun.elapsed().as_secs_f32());
        println!("{unique:>12} states, depth {:>3}, {seconds:>6.0} s: {name}", checked.max_depth());
        total += unique;
        for (promise, path) in checked.discoveries() {
            well = false;
            println!("BROKEN: {promise}\n{path}");
        }
    }
    println!("{total:>12} states in all");
    well
}

fn simulate_all(from: u64, seeds: u64) -> bool {
    let bar = ProgressBar::new(seeds);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {eta} left") {
        bar.set_style(style);
    }
    let mut sum = Report::default();
    let mut broken = 0_u32;
    for seed in from..from.saturating_add(seeds) {
        match simulate(seed, None) {
            Ok(report) => {
                sum.sagas += report.sagas;
                sum.sold += report.sold;
                sum.steps += report.steps;
                sum.faults += report.faults;
            }
            Err(failure) => {
                broken += 1;
                bar.suspend(|| println!("BROKEN: seed {}: {}", failure.seed, failure.violation));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    println!(
        "{seeds} seeds: {} sagas, {} of them sold, {} steps, {} faults, {broken} broken promises",
        sum.sagas, sum.sold, sum.steps, sum.faults
    );
    broken == 0
}

fn play(seed: u64) -> bool {
    match simulate(seed, None) {
        Ok(report) => {
            println!("seed {seed} ends well: {report:?}");
            true
        }
        Err(broken) => {
            tell(&broken);
            false
        }
    }
}

fn tell(broken: &Broken) {
    for (number, action) in broken.history.iter().enumerate() {
        println!("{number:>5}  {action:?}");
    }
    println!("seed {}: {}", broken.seed, broken.violation);
}

/// After so many seeds a mistake counts as unnoticed.
const MOST_SEEDS: u64 = 20_000;

fn mistakes() -> bool {
    let mut caught = 0;
    for mistake in Mistake::ALL {
        let found = (0..MOST_SEEDS).find_map(|seed| simulate(seed, Some(mistake)).err());
        match found {
            Some(broken) => {
                caught += 1;
                println!("caught     {mistake:?}: seed {}: {}", broken.seed, broken.violation);
            }
            None => println!("UNNOTICED  {mistake:?}"),
        }
    }
    println!("{caught} of {} mistakes caught", Mistake::ALL.len());
    caught == Mistake::ALL.len()
}

fn mutants(names: &[String], folder: &Path) -> io::Result<bool> {
    let all = Mutant::all()?;
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|mutant| mutant.name != **name)) {
        return Err(io::Error::other(format!("there is no mutant {unknown}: see {}", proof::mutants::FOLDER)));
    }
    let copy = Copy::make(folder, &all)?;
    let chosen: Vec<&Mutant> = all.iter().filter(|mutant| names.is_empty() || names.contains(&mutant.name)).collect();
    eprintln!("{} mutants; their tests without them first", chosen.len());
    let killers: BTreeSet<_> = chosen.iter().map(|mutant| &mutant.killer).collect();
    for killer in killers {
        if !copy.passes(killer)? {
            return Err(io::Error::other(format!("{} {} fails without any mutant", killer.package, killer.test)));
        }
    }
    let mut caught = 0;
    for mutant in &chosen {
        let begun = Instant::now();
        let fate = copy.try_out(mutant)?;
        caught += usize::from(fate == Fate::Caught);
        let (Mutant { name, breaks, .. }, test) = (mutant, &mutant.killer.test);
        let seconds = begun.elapsed().as_secs();
        match fate {
            Fate::Caught => println!("caught    {seconds:>4} s  {name}: by {test}"),
            Fate::Survived => println!("SURVIVED  {seconds:>4} s  {name}: {test} passes. {breaks}"),
            Fate::Invalid(reason) => println!("INVALID   {seconds:>4} s  {name}: {reason}"),
        }
    }
    println!("{caught} of {} mutants caught", chosen.len());
    Ok(caught == chosen.len())
}
