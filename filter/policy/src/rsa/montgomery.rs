//! Powers modulo an odd number by Montgomery multiplication, for public exponents.
//!
//! P. Montgomery, "Modular Multiplication Without Trial Division", Math. Comp. 44 (1985). With R = 2^(27·limbs), a
//! multiplication yields x·y/R mod n without a division: multiples of n are added that clear the lower half.
//! Because R > 4n, factors below 2n give a result below 2n ((4n² + Rn)/R < 2n), so nothing is subtracted between
//! steps; only the last result is brought below n.
//!
//! Nothing here is secret: signature, key and exponent are public, so time may depend on them. Private-key
//! operations must not be built on it.

use super::limbs::{
    BLOCK, LIMB_BITS, LIMB_MASK, MAX_LIMBS, count, double, less, low, read, subtract, write,
};

/// Zero limbs on either side of a factor, so that a row of products needs no special case at its ends.
const PAD: usize = BLOCK;

/// An odd modulus n with what its multiplications need again and again.
#[derive(Clone)]
pub(super) struct Modulus {
    /// n between zero limbs.
    padded: Box<[u32]>,
    /// R² mod n.
    r_squared: Box<[u32]>,
    /// −n⁻¹ mod 2²⁷.
    negated_inverse: u32,
}

impl Modulus {
    /// Precomputes for n, given as big-endian octets: odd and exactly `bits` long, which is at most `MAX_BITS`.
    /// `None` if it is longer.
    pub(super) fn new(octets: &[u8], bits: usize) -> Option<Self> {
        let mut padded = vec![0; count(bits) + 2 * PAD].into_boxed_slice();
        read(octets, within_mut(&mut padded))?;
        let lowest = within(&padded).first().copied().unwrap_or_default();
        let mut modulus = Self {
            padded,
            r_squared: Box::default(),
            negated_inverse: inverse(lowest).wrapping_neg() & LIMB_MASK,
        };
        modulus.r_squared = modulus.square_of_r(bits);
        Some(modulus)
    }

    /// Writes base^exponent mod n as big-endian octets; `None` unless base < n and the exponent is odd and above 1.
    pub(super) fn raise(&self, base: &[u8], exponent: u64, power: &mut [u8]) -> Option<()> {
        if exponent < 3 || exponent.is_multiple_of(2) {
            return None;
        }
        let mut plain = [0; MAX_LIMBS];
        let plain = plain.get_mut(..self.limbs().len())?;
        read(base, plain)?;
        if !less(plain, self.limbs()) {
            return None;
        }
        let mut work = Work::new(self);
        work.factor_mut().copy_from_slice(plain);
        work.multiply(&self.r_squared);
        let mut converted = [0; MAX_LIMBS];
        let converted = converted.get_mut(..self.limbs().len())?;
        converted.copy_from_slice(work.factor());
        // All bits but the highest and the lowest. The lowest is set; its factor is the plain base, which leaves
        // the result without the R of the others.
        for bit in (1..exponent.ilog2()).rev() {
            work.square();
            if exponent >> bit & 1 == 1 {
                work.multiply(converted);
            }
        }
        work.square();
        work.multiply(plain);
        work.bring_below_modulus();
        write(work.factor(), power);
        Some(())
    }

    /// R² mod n, reached from 1 in Montgomery form (R mod n) as the power 2^(27·limbs) in that form.
    fn square_of_r(&self, bits: usize) -> Box<[u32]> {
        let mut work = Work::new(self);
        let highest = bits.saturating_sub(1);
        // 2^(bits − 1) < n, because n is odd and has that bit.
        if let Some(limb) = (work.factor_mut()).get_mut(highest / LIMB_BITS as usize) {
            *limb = 1 << (highest % LIMB_BITS as usize);
        }
        let exponent = self.limbs().len() * LIMB_BITS as usize;
        for _ in highest..exponent {
            work.double();
        }
        for bit in (0..usize::BITS - exponent.leading_zeros()).rev() {
            work.square();
            work.bring_below_modulus();
            if exponent >> bit & 1 == 1 {
                work.double();
            }
        }
        work.factor().into()
    }

    /// The limbs of n.
    fn limbs(&self) -> &[u32] {
        within(&self.padded)
    }
}

/// One factor and the columns in which its products gather.
struct Work<'a> {
    modulus: &'a Modulus,
    /// Below 2n, between zero limbs.
    factor: [u32; MAX_LIMBS + 2 * PAD],
    columns: [u64; 2 * MAX_LIMBS],
}

impl<'a> Work<'a> {
    fn new(modulus: &'a Modulus) -> Self {
        Self {
            modulus,
            factor: [0; MAX_LIMBS + 2 * PAD],
            columns: [0; 2 * MAX_LIMBS],
        }
    }

    /// factor ← factor · other / R.
    fn multiply(&mut self, other: &[u32]) {
        let length = self.modulus.padded.len();
        let factor = self.factor.get(..length).unwrap_or_default();
        let mut columns = self.columns.get_mut(..2 * other.len()).unwrap_or_default();
        columns.fill(0);
        for block in other.as_chunks::<BLOCK>().0 {
            add_products(columns, block.map(u64::from), factor);
            columns = columns.get_mut(BLOCK..).unwrap_or_default();
        }
        self.reduce();
    }

    /// factor ← factor² / R, at three quarters of the price of `multiply`: of the products that occur twice, one is
    /// computed and counted double.
    fn square(&mut self) {
        let limbs = self.modulus.limbs().len();
        let mut columns = self.columns.get_mut(..2 * limbs).unwrap_or_default();
        columns.fill(0);
        // The limbs from the block at hand upwards, and the padding above them.
        let mut rest = self
            .factor
            .get_mut(PAD..limbs + 2 * PAD)
            .unwrap_or_default();
        while let (Some((block, _)), Some((corner, _))) = (
            rest.split_first_chunk_mut::<BLOCK>(),
            columns.split_first_chunk_mut::<{ 2 * BLOCK }>(),
        ) {
            // Taken out, the block leaves zeros below the limbs its row multiplies.
            let [x0, x1, x2, x3] = std::mem::take(block).map(u64::from);
            let doubled = [2 * x0, 2 * x1, 2 * x2, 2 * x3];
            let [d0, d1, d2, _] = doubled;
            let [c0, c1, c2, c3, c4, c5, c6, _] = corner;
            *c0 += x0 * x0;
            *c1 += d0 * x1;
            *c2 += d0 * x2 + x1 * x1;
            *c3 += d0 * x3 + d1 * x2;
            *c4 += d1 * x3 + x2 * x2;
            *c5 += d2 * x3;
            *c6 += x3 * x3;
            let row = columns.get_mut(BLOCK..).unwrap_or_default();
            add_products(row, doubled, rest);
            rest = rest.get_mut(BLOCK..).unwrap_or_default();
            columns = columns.get_mut(2 * BLOCK..).unwrap_or_default();
        }
        self.reduce();
    }

    /// factor ← columns / R mod n, below 2n.
    fn reduce(&mut self) {
        let limbs = self.modulus.limbs().len();
        let inverse = self.modulus.negated_inverse;
        let quotient = |column| u64::from(low(column).wrapping_mul(inverse) & LIMB_MASK);
        let modulus = self.modulus.padded.get(PAD..).unwrap_or_default();
        let Some(&[n0, n1, n2, n3]) = modulus.first_chunk::<BLOCK>() else {
            return;
        };
        let [n0, n1, n2, n3] = [n0, n1, n2, n3].map(u64::from);
        let mut columns = self.columns.get_mut(..2 * limbs).unwrap_or_default();
        for _ in 0..limbs / BLOCK {
            let Some((&mut [c0, c1, c2, c3], rest)) = columns.split_first_chunk_mut::<BLOCK>()
            else {
                return;
            };
            // Each q makes its own column a multiple of 2²⁷; what stands above moves one column up.
            let q0 = quotient(c0);
            let c1 = c1 + q0 * n1 + ((c0 + q0 * n0) >> LIMB_BITS);
            let q1 = quotient(c1);
            let c2 = c2 + q0 * n2 + q1 * n1 + ((c1 + q1 * n0) >> LIMB_BITS);
            let q2 = quotient(c2);
            let c3 = c3 + q0 * n3 + q1 * n2 + q2 * n1 + ((c2 + q2 * n0) >> LIMB_BITS);
            let q3 = quotient(c3);
            if let Some(next) = rest.first_mut() {
                *next += (c3 + q3 * n0) >> LIMB_BITS;
            }
            add_products(rest, [q0, q1, q2, q3], modulus);
            columns = rest;
        }
        let factor = self.factor.get_mut(PAD..PAD + limbs).unwrap_or_default();
        let mut carry = 0;
        for (limb, column) in factor.iter_mut().zip(columns) {
            carry += *column;
            *limb = low(carry);
            carry >>= LIMB_BITS;
        }
    }

    /// factor ← 2 · factor mod n, for a factor below n.
    fn double(&mut self) {
        double(self.factor_mut());
        self.bring_below_modulus();
    }

    /// Subtracts n once if there is anything to subtract it from.
    fn bring_below_modulus(&mut self) {
        let modulus = self.modulus.limbs();
        if !less(self.factor(), modulus) {
            subtract(self.factor_mut(), modulus);
        }
    }

    fn factor(&self) -> &[u32] {
        let length = self.modulus.padded.len();
        within(self.factor.get(..length).unwrap_or_default())
    }

    fn factor_mut(&mut self) -> &mut [u32] {
        let length = self.modulus.padded.len();
        within_mut(self.factor.get_mut(..length).unwrap_or_default())
    }
}

/// Adds four rows of products at once: column m gains Σ coefficient(r) · factor(m − r). All time is spent here.
///
/// The first block of `factor` stands below column 0: zeros, or limbs that earlier columns have already met. Four rows
/// and four columns at a time, so that a limb is loaded once for sixteen products and a column once for four.
fn add_products(columns: &mut [u64], coefficients: [u64; BLOCK], factor: &[u32]) {
    let [c0, c1, c2, c3] = coefficients;
    let Some((below, factor)) = factor.split_first_chunk::<BLOCK>() else {
        return;
    };
    let [_, mut f3, mut f2, mut f1] = below.map(u64::from);
    let columns = columns.as_chunks_mut::<BLOCK>().0.iter_mut();
    for ([m0, m1, m2, m3], limbs) in columns.zip(factor.as_chunks::<BLOCK>().0) {
        let [l0, l1, l2, l3] = limbs.map(u64::from);
        *m0 += c0 * l0 + c1 * f1 + c2 * f2 + c3 * f3;
        *m1 += c0 * l1 + c1 * l0 + c2 * f1 + c3 * f2;
        *m2 += c0 * l2 + c1 * l1 + c2 * l0 + c3 * f1;
        *m3 += c0 * l3 + c1 * l2 + c2 * l1 + c3 * l0;
        (f1, f2, f3) = (l3, l2, l1);
    }
}

/// The inverse of an odd number modulo 2³², by Newton's iteration: each step doubles the bits that are right, from
/// the three that any odd number is its own inverse in.
const fn inverse(odd: u32) -> u32 {
    let mut inverse = odd;
    let mut bits = 3;
    while bits < u32::BITS {
        inverse = inverse.wrapping_mul(2u32.wrapping_sub(odd.wrapping_mul(inverse)));
        bits *= 2;
    }
    inverse
}

/// The number between the padding.
fn within(padded: &[u32]) -> &[u32] {
    let end = padded.len().saturating_sub(PAD);
    padded.get(PAD..end).unwrap_or_default()
}

fn within_mut(padded: &mut [u32]) -> &mut [u32] {
    let end = padded.len().saturating_sub(PAD);
    padded.get_mut(PAD..end).unwrap_or_default()
}
