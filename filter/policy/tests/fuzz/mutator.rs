//! Inputs made from seeds: bits flipped, parts repeated, cut, swapped, joined, and words put in that parsers care for.

/// Makes the same inputs in every run.
pub(crate) struct Mutator<'s> {
    seeds: &'s [&'s [u8]],
    state: u64,
}

impl<'s> Mutator<'s> {
    pub(crate) fn new(seeds: &'s [&'s [u8]]) -> Self {
        Self {
            seeds,
            state: 0x5eed,
        }
    }

    /// The next input, of 64 KiB at most.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut input = self.seed().to_vec();
        for _ in 0..=self.below(6) {
            self.mutate(&mut input);
        }
        input.truncate(64 * 1024);
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let to = at + self.below(input.len() - at + 1);
        match self.below(10) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            1 => {
                let byte = u8::try_from(self.below(256)).unwrap_or_default();
                input.insert(at, byte);
            }
            2 => drop(input.drain(at..to)),
            3 => {
                let part = input[at..to].to_vec();
                input.splice(at..at, part);
            }
            4 => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..to, word.bytes());
            }
            5 | 6 => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..at, word.bytes());
            }
            7 => {
                let other = self.seed();
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            8 => {
                let times = 1 << self.below(9);
                let part = input[at..to.min(at + 16)].repeat(times);
                input.splice(at..at, part);
            }
            _ => input.truncate(at),
        }
    }

    fn seed(&mut self) -> &'s [u8] {
        self.seeds[self.below(self.seeds.len())]
    }

    /// `SplitMix64` (Steele, Lea and Flood 2014).
    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap_or_default()
    }
}

/// What some parser treats apart from other bytes.
const WORDS: [&str; 58] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ",",
    ":",
    ";",
    "=",
    "&",
    "?",
    "#",
    "/",
    "//",
    "/../",
    ".",
    "..",
    "%",
    "%2f",
    "%2e",
    "%00",
    "%zz",
    "%c0%af",
    "\\u0000",
    "\\ud800",
    "\0",
    "\r\n",
    "\t",
    " ",
    "\u{feff}",
    "\u{e9}",
    "@",
    "[::1]",
    "*",
    "*.",
    "-1",
    "0",
    "1e400",
    "18446744073709551616",
    "null",
    "true",
    "{}",
    "[]",
    "\"\"",
    "Bearer ",
    "bearer",
    "token=",
    "access_token=",
    "alg",
    "none",
    "crit",
    "exp",
    "keys",
    "kty",
    "__proto__",
    "300s",
    "a.b.c",
];
