use std::convert::Infallible;

use attesto::secret::Secret;
use rand_core::{TryCryptoRng, TryRng};

/// The operating system's random numbers. Without them nothing here can go on, so their failure ends the process.
pub(crate) struct OsRandom;

impl TryRng for OsRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        if let Err(error) = getrandom::fill(bytes) {
            eprintln!("attesto: the system gives no random numbers: {error}");
            std::process::exit(1);
        }
        Ok(())
    }
}

impl TryCryptoRng for OsRandom {}

/// A new secret of full entropy.
pub(crate) fn secret() -> Secret<String> {
    Secret::random(&mut OsRandom)
}

/// As many random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let Ok(()) = OsRandom.try_fill_bytes(&mut bytes);
    bytes
}
