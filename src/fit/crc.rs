//! The FIT checksum: CRC-16 with polynomial 0xA001 (reflected 0x8005), start value 0.
//!
//! Sixteen bytes at a time ("slice by sixteen"): table `k` holds the effect of a byte that is
//! followed by `k` more, so the sixteen look-ups of a block do not wait for one another.

const POLYNOMIAL: u16 = 0xA001;
const STRIDE: usize = 16;

static TABLES: [[u16; 256]; STRIDE] = tables();

/// Checksum of `bytes`.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    let (blocks, rest) = bytes.as_chunks::<STRIDE>();
    let crc = blocks.iter().fold(0, step);
    rest.iter().fold(crc, |crc, byte| {
        let [low, high] = crc.to_le_bytes();
        u16::from(high) ^ effect::<0>(low ^ byte)
    })
}

#[inline]
fn step(crc: u16, block: &[u8; STRIDE]) -> u16 {
    let [low, high] = crc.to_le_bytes();
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *block;
    // These do not depend on the checksum so far: a processor computes them ahead of time.
    let independent = effect::<13>(c)
        ^ effect::<12>(d)
        ^ effect::<11>(e)
        ^ effect::<10>(f)
        ^ effect::<9>(g)
        ^ effect::<8>(h)
        ^ effect::<7>(i)
        ^ effect::<6>(j)
        ^ effect::<5>(k)
        ^ effect::<4>(l)
        ^ effect::<3>(m)
        ^ effect::<2>(n)
        ^ effect::<1>(o)
        ^ effect::<0>(p);
    independent ^ (effect::<15>(a ^ low) ^ effect::<14>(b ^ high))
}

/// What a byte adds to the checksum when `FOLLOWING` bytes come after it.
#[inline]
fn effect<const FOLLOWING: usize>(byte: u8) -> u16 {
    // Both indices are in range by their types, so the compiler drops the tests.
    TABLES
        .get(FOLLOWING)
        .and_then(|table| table.get(usize::from(byte)))
        .copied()
        .unwrap_or_default()
}

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "runs in the compiler only, where a bad index is a build error; indices are below 256"
)]
const fn tables() -> [[u16; 256]; STRIDE] {
    let mut tables = [[0u16; 256]; STRIDE];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u16;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (POLYNOMIAL * (crc & 1));
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut following = 1;
    while following < STRIDE {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[following - 1][byte];
            tables[following][byte] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
            byte += 1;
        }
        following += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::{POLYNOMIAL, crc16};

    #[test]
    fn check_value_of_the_catalogue() {
        // CRC-16/ARC in the catalogue of parametrised CRC algorithms, read 2026-11.
        assert_eq!(crc16(b"123456789"), 0xBB3D);
    }

    #[test]
    fn agrees_with_bit_by_bit_at_every_length() {
        let bytes: Vec<u8> = (0..200u32).map(|i| (i * 37 % 251) as u8).collect();
        for length in 0..bytes.len() {
            let slow = bytes[..length].iter().fold(0u16, |crc, byte| {
                (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
                    (crc >> 1) ^ (POLYNOMIAL * (crc & 1))
                })
            });
            assert_eq!(crc16(&bytes[..length]), slow, "length {length}");
        }
    }
}
