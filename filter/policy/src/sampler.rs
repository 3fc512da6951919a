//! Taking a percentage of what comes, exactly and at the cost of an addition.

/// Takes so many of a hundred, evenly spread.
#[derive(Clone, Copy, Debug)]
pub struct Sampler {
    percent: u8,
    /// Percent not yet used up; a hundred make one.
    sum: u8,
}

impl Sampler {
    /// Takes `percent` of a hundred, at most all of them.
    pub const fn new(percent: u8) -> Self {
        let percent = if percent > 100 { 100 } else { percent };
        Self { percent, sum: 0 }
    }

    /// Whether the next one is taken.
    pub const fn takes(&mut self) -> bool {
        // Both are at most a hundred.
        self.sum = self.sum.saturating_add(self.percent);
        let takes = self.sum >= 100;
        if takes {
            self.sum = self.sum.saturating_sub(100);
        }
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::Sampler;

    #[test]
    fn of_any_hundred_in_a_row_exactly_so_many_are_taken() {
        for percent in 0..=100 {
            let mut sampler = Sampler::new(percent);
            let taken: Vec<_> = (0..1000).map(|_| sampler.takes()).collect();
            for hundred in taken.windows(100) {
                let count = hundred.iter().filter(|taken| **taken).count();
                assert_eq!(count, usize::from(percent));
            }
        }
        assert!(Sampler::new(200).takes());
    }
}
