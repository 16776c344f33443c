//! Whether a difference between two arms can be chance.

/// McNemar's test, exact and two-sided: the probability that of all pairs that differ at least as many differ one way, were
/// both ways equally likely. 1 when none differ.
pub fn mcnemar(better: usize, worse: usize) -> f64 {
    let pairs = better + worse;
    let extreme = better.max(worse);
    let tail: f64 = (extreme..=pairs).map(|k| (ln_choose(pairs, k) - pairs as f64 * 2_f64.ln()).exp()).sum();
    (2.0 * tail).min(1.0)
}

fn ln_choose(n: usize, k: usize) -> f64 {
    let ln_factorial = |n: usize| (1..=n).map(|i| (i as f64).ln()).sum::<f64>();
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// The middle of some numbers.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}
