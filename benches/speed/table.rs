//! Figures in columns, and whether a goal is met.

use std::sync::atomic::{AtomicUsize, Ordering};

static MISSED: AtomicUsize = AtomicUsize::new(0);

/// Prints a heading with the names of the columns.
pub fn head(title: &str, columns: &[&str]) {
    println!("\n{title}");
    row(columns);
}

pub fn row<S: AsRef<str>>(columns: &[S]) {
    let [first, rest @ ..] = columns else { return };
    let rest: Vec<_> = rest.iter().map(|column| format!("{:>14}", column.as_ref())).collect();
    println!("  {:<44}{}", first.as_ref(), rest.join(""));
}

/// `met` or `MISSED`, beside what was wanted. What is missed is counted.
pub fn goal(what: &str, met: bool) {
    MISSED.fetch_add(usize::from(!met), Ordering::Relaxed);
    println!("  {:<44}{:>14}", what, if met { "met" } else { "MISSED" });
}

/// Goals missed so far.
pub fn missed() -> usize {
    MISSED.load(Ordering::Relaxed)
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
