//! Files that were uploaded and wait for a person to say what their columns mean.
//!
//! They may be about persons, so no byte of them lies in clear on the disk: each piece is sealed under a key that this
//! process draws for the file and keeps in memory. When the process ends they are unreadable, and the next one removes
//! them; the person has the file and uploads it again.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use domain::seal::{open_at_rest, seal_at_rest};
use zeroize::Zeroizing;

use crate::env::Env;
use crate::error::{AppError, StoreError};

/// The largest file.
pub const UPLOAD_BYTES_MAX: u64 = 256 * 1024 * 1024;
const PIECE_BYTES: usize = 64 * 1024;
const LABEL: &[u8] = b"upload ";

/// A sealed file; gone from the disk with its last handle.
#[derive(Debug)]
pub struct Upload {
    path: PathBuf,
    key: Zeroizing<[u8; 32]>,
    bytes: u64,
}

/// A file that is being uploaded.
pub struct UploadWriter {
    env: Env,
    upload: Upload,
    file: BufWriter<File>,
    piece: Zeroizing<Vec<u8>>,
    pieces: u64,
}

impl std::fmt::Debug for UploadWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UploadWriter({} bytes)", self.upload.bytes)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "an uploaded file cannot be removed");
        }
    }
}

fn folder(data: &Path) -> PathBuf {
    data.join("uploads")
}

fn failed(path: &Path, source: std::io::Error) -> AppError {
    StoreError::Io {
        path: path.display().to_string(),
        source,
    }
    .into()
}

/// Removes what an earlier process left.
pub fn remove_left_over(data: &Path) {
    let folder = folder(data);
    if folder.exists()
        && let Err(error) = std::fs::remove_dir_all(&folder)
    {
        tracing::warn!(%error, "uploaded files of an earlier process cannot be removed");
    }
}

impl UploadWriter {
    /// Begins a file in the data directory.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn new(data: &Path, env: &Env) -> Result<Self, AppError> {
        let folder = folder(data);
        std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
        let name: [u8; 16] = env.bytes();
        let path = folder.join(web_kit::wire::hex(&name));
        let file = File::create_new(&path).map_err(|error| failed(&path, error))?;
        Ok(Self {
            env: env.clone(),
            upload: Upload {
                path,
                key: Zeroizing::new(env.bytes()),
                bytes: 0,
            },
            file: BufWriter::new(file),
            piece: Zeroizing::new(Vec::with_capacity(PIECE_BYTES)),
            pieces: 0,
        })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// When the file is too large, or the disk says no.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), AppError> {
        self.upload.bytes += bytes.len() as u64;
        if self.upload.bytes > UPLOAD_BYTES_MAX {
            let detail = format!(
                "the file is larger than {} MiB",
                UPLOAD_BYTES_MAX / 1_048_576
            );
            return Err(AppError::TooLarge { detail });
        }
        while !bytes.is_empty() {
            let room = PIECE_BYTES - self.piece.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() == PIECE_BYTES {
                self.seal()?;
            }
        }
        Ok(())
    }

    fn seal(&mut self) -> Result<(), AppError> {
        let Upload { path, key, .. } = &self.upload;
        let sealed = seal_at_rest(key, &label(self.pieces), self.env.bytes(), &self.piece)
            .map_err(|error| failed(path, std::io::Error::other(error)))?;
        let length = u32::try_from(sealed.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes();
        let written = self
            .file
            .write_all(&length)
            .and_then(|()| self.file.write_all(&sealed));
        written.map_err(|error| failed(&self.upload.path, error))?;
        self.pieces += 1;
        self.piece.clear();
        Ok(())
    }

    /// The whole file.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn finish(mut self) -> Result<Upload, AppError> {
        if !self.piece.is_empty() {
            self.seal()?;
        }
        self.file
            .flush()
            .map_err(|error| failed(&self.upload.path, error))?;
        Ok(self.upload)
    }
}

fn label(piece: u64) -> Vec<u8> {
    [LABEL, &piece.to_be_bytes()].concat()
}

impl Upload {
    /// How many bytes were uploaded.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads the file from its beginning, piece by piece.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn pieces(
        &self,
    ) -> Result<impl Iterator<Item = Result<Vec<u8>, AppError>> + use<'_>, AppError> {
        let file = File::open(&self.path).map_err(|error| failed(&self.path, error))?;
        let mut file = BufReader::new(file);
        let mut left = self.bytes.div_ceil(PIECE_BYTES as u64);
        let mut number = 0;
        Ok(std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let piece = self.piece(&mut file, number);
            number += 1;
            Some(piece)
        }))
    }

    fn piece(&self, file: &mut impl Read, number: u64) -> Result<Vec<u8>, AppError> {
        let mut length = [0; 4];
        let mut read = || -> std::io::Result<Vec<u8>> {
            file.read_exact(&mut length)?;
            let mut sealed = vec![0; u32::from_le_bytes(length) as usize];
            file.read_exact(&mut sealed)?;
            Ok(sealed)
        };
        let sealed = read().map_err(|error| failed(&self.path, error))?;
        let opened = open_at_rest(&self.key, &label(number), &sealed)
            .map_err(|error| failed(&self.path, std::io::Error::other(error)))?;
        Ok(opened.expose().clone())
    }
}
