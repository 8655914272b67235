//! The seal: a checksum over the bytes of a Parquet file, inside the file and in the way of nobody.
//!
//! Parquet readers find everything through the footer at the end, which holds absolute positions of the column data at
//! the front. Between the two there may be a gap, and there the seal stands:
//!
//! ```text
//! PAR1 | column data | SEAL: 16 bytes of magic, 32 bytes of BLAKE3 | footer | length of the footer | PAR1
//! ```
//!
//! The hash covers every byte but the seal's own. So any cut, flipped or foreign byte is found before a parser sees it:
//! a damaged length field can otherwise make a Parquet reader ask for more memory than there is, which ends the process.
//! Other readers (DuckDB, Arrow) see an ordinary Parquet file.

use super::FileDefect;

const MAGIC: &[u8; 16] = b"SEXTANT SEAL v01";
const HASH_LEN: usize = 32;
const SEAL_LEN: usize = MAGIC.len() + HASH_LEN;
const PARQUET_MAGIC: &[u8; 4] = b"PAR1";
const TAIL_LEN: usize = 8;

/// Puts a seal into the bytes of a Parquet file; `None` when they are not those of a Parquet file.
pub(super) fn seal(mut parquet: Vec<u8>) -> Option<Vec<u8>> {
    let footer = footer_start(&parquet)?;
    let hash = hash(&parquet[..footer], &parquet[footer..]);
    parquet.splice(footer..footer, MAGIC.iter().chain(hash.as_bytes()).copied());
    Some(parquet)
}

/// Compares the seal with the bytes.
pub(super) fn check(bytes: &[u8]) -> Result<(), FileDefect> {
    if bytes.is_empty() {
        return Err(FileDefect::Empty);
    }
    let footer = footer_start(bytes).ok_or(FileDefect::NotParquet)?;
    let start = footer
        .checked_sub(SEAL_LEN)
        .filter(|start| *start >= PARQUET_MAGIC.len());
    let start = start.ok_or(FileDefect::NoSeal)?;
    let (magic, stored) = bytes[start..footer].split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(FileDefect::NoSeal);
    }
    let found = hash(&bytes[..start], &bytes[footer..]);
    if found.as_bytes() == stored {
        Ok(())
    } else {
        Err(FileDefect::BrokenSeal)
    }
}

fn hash(front: &[u8], back: &[u8]) -> blake3::Hash {
    blake3::Hasher::new().update(front).update(back).finalize()
}

/// Where the footer begins, by the length in front of the last four bytes.
fn footer_start(bytes: &[u8]) -> Option<usize> {
    let whole = bytes.len() >= PARQUET_MAGIC.len() + TAIL_LEN
        && bytes.starts_with(PARQUET_MAGIC)
        && bytes.ends_with(PARQUET_MAGIC);
    let tail = whole.then(|| bytes.len() - TAIL_LEN)?;
    let length = u32::from_le_bytes(bytes[tail..tail + 4].try_into().ok()?);
    tail.checked_sub(usize::try_from(length).ok()?)
        .filter(|start| *start >= PARQUET_MAGIC.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sealed() -> Vec<u8> {
        let mut file = b"PAR1".to_vec();
        file.extend((0..100_u8).chain(*b"footer"));
        file.extend(6_u32.to_le_bytes());
        file.extend(b"PAR1");
        seal(file).unwrap()
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let good = sealed();
        assert_eq!(check(&good), Ok(()));
        for position in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[position] ^= 1 << bit;
                assert!(check(&bad).is_err(), "byte {position}, bit {bit}");
            }
            assert!(check(&good[..position]).is_err(), "cut to {position}");
        }
    }

    #[test]
    fn defects_are_told_apart() {
        let good = sealed();
        assert_eq!(check(&[]), Err(FileDefect::Empty));
        assert_eq!(check(b"timestamp,open"), Err(FileDefect::NotParquet));
        assert_eq!(check(&good[..good.len() - 1]), Err(FileDefect::NotParquet));
        assert_eq!(check(b"PAR1\0\0\0\0PAR1"), Err(FileDefect::NoSeal));
        let mut bad = good.clone();
        bad[10] ^= 1;
        assert_eq!(check(&bad), Err(FileDefect::BrokenSeal));
        assert_eq!(seal(b"not parquet at all".to_vec()), None);
    }
}
