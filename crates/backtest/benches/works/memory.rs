//! The peak memory of works, told beside their time.
#![allow(clippy::print_stdout, reason = "a bench speaks to its reader")]

use std::process::Command;

/// A work: makes its input, calls `ready`, and runs once.
pub(crate) type Work = fn(ready: &dyn Fn());

/// Set for the process that does one work alone.
const WORK: &str = "SEXTANT_BENCH_WORK";

/// Where the system tells the memory of a process, and lets it forget its peak.
const STATUS: &str = "/proc/self/status";
const FORGET: (&str, &str) = ("/proc/self/clear_refs", "5");

/// Does the work that this process was started for, if it was; true then.
pub(crate) fn does_work(works: &[(&str, Work)]) -> bool {
    let Ok(wanted) = std::env::var(WORK) else {
        return false;
    };
    if let Some((_, work)) = works.iter().find(|(name, _)| *name == wanted) {
        let ready = || {
            let _ = std::fs::write(FORGET.0, FORGET.1);
            print!("{} ", kibibytes("VmRSS:").unwrap_or_default());
        };
        work(&ready);
        println!("{}", kibibytes("VmHWM:").unwrap_or_default());
    }
    true
}

/// Prints the peak resident set of each work in a process of its own, and what it was once the input was ready; of all works,
/// whatever is filtered. Nothing where the system does not tell, and where criterion was not asked to measure.
pub(crate) fn tell(works: &[(&str, Work)]) {
    let has = |word: &str| std::env::args().any(|one| one == word);
    let is_measuring = has("--bench") && !["--profile-time", "--test", "--list"].into_iter().any(has);
    if !is_measuring || kibibytes("VmHWM:").is_none() || std::fs::write(FORGET.0, FORGET.1).is_err() {
        return;
    }
    for (name, _) in works {
        let program = std::env::current_exe().expect("the bench knows its program");
        let output = Command::new(program)
            .env(WORK, name)
            .output()
            .expect("the bench starts again");
        let said = String::from_utf8_lossy(&output.stdout);
        let sizes: Vec<f64> = said
            .split_whitespace()
            .filter_map(|size| size.parse().ok())
            .collect();
        match sizes.as_slice() {
            [input, peak] => {
                let mib = |kib: &f64| kib / 1024.0;
                println!(
                    "{name:<56} peak memory {:.0} MiB (input {:.0} MiB)",
                    mib(peak),
                    mib(input)
                );
            }
            _ => panic!("{name} did not run: {}", String::from_utf8_lossy(&output.stderr)),
        }
    }
}

/// A size of this process by its name; `None` where the system does not tell.
fn kibibytes(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(STATUS).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
