//! Tables on their way in: uploaded, looked at, running, done. In memory only: what was written is in the log, and a
//! file that was not taken over is uploaded again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ImportReport;
use super::table::{Fault, Field, Kind, Known, Places, Reading};
use super::upload::Upload;

/// So many tables are kept; the oldest that does not run goes first.
const KEPT: usize = 8;

/// How far a table is.
#[derive(Debug, Clone, Default)]
pub enum Progress {
    /// A person says what its columns mean.
    #[default]
    Waiting,
    /// It is being taken over.
    Running(ImportReport),
    /// It was taken over; with the rows that were refused.
    Done(ImportReport, Arc<[(u64, Fault)]>),
    /// It broke off: what was written stays.
    BrokeOff(ImportReport),
}

/// A table on its way in.
#[derive(Debug)]
pub struct Table {
    /// Its name in addresses.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// The file's name, as the browser gave it.
    pub file_name: String,
    /// When it was uploaded.
    pub at_ms: i64,
    /// The sealed file.
    pub upload: Upload,
    /// Who was known when it was uploaded. Opening everybody takes too long for each look; letting it come in asks
    /// again.
    pub known: Known,
    places: Mutex<BTreeMap<Field, usize>>,
    progress: Mutex<Progress>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Table {
    /// A table whose columns were guessed.
    pub fn new(
        id: String,
        file_name: String,
        at_ms: i64,
        upload: Upload,
        known: Known,
        (kind, places): (Kind, BTreeMap<Field, usize>),
    ) -> Self {
        Self {
            id,
            kind,
            file_name,
            at_ms,
            upload,
            known,
            places: Mutex::new(places),
            progress: Mutex::default(),
        }
    }

    /// Which column means what, as chosen so far.
    pub fn places(&self) -> BTreeMap<Field, usize> {
        locked(&self.places).clone()
    }

    /// Chooses what the columns mean; nothing changes once it runs.
    pub fn choose(&self, places: BTreeMap<Field, usize>) {
        if matches!(*locked(&self.progress), Progress::Waiting) {
            *locked(&self.places) = places;
        }
    }

    /// How it is to be read.
    pub fn reading(&self) -> Reading {
        Reading {
            kind: self.kind,
            places: Places::Chosen(self.places()),
        }
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        locked(&self.progress).clone()
    }

    /// Says how far it is.
    pub fn set_progress(&self, progress: Progress) {
        *locked(&self.progress) = progress;
    }

    /// Lets it run; false when it does or did already.
    pub fn begin(&self) -> bool {
        let mut progress = locked(&self.progress);
        let is_first = matches!(*progress, Progress::Waiting | Progress::BrokeOff(_));
        if is_first {
            *progress = Progress::Running(ImportReport::default());
        }
        is_first
    }
}

/// All tables on their way in.
#[derive(Debug, Default)]
pub struct Desk(Mutex<Vec<Arc<Table>>>);

impl Desk {
    /// Lays a table down.
    pub fn add(&self, table: Table) -> Arc<Table> {
        let mut tables = locked(&self.0);
        let table = Arc::new(table);
        tables.push(table.clone());
        let runs = |table: &Table| matches!(*locked(&table.progress), Progress::Running(_));
        while tables.len() > KEPT
            && let Some(at) = tables.iter().position(|table| !runs(table))
        {
            tables.remove(at);
        }
        table
    }

    /// The table of this name.
    pub fn get(&self, id: &str) -> Option<Arc<Table>> {
        locked(&self.0).iter().find(|table| table.id == id).cloned()
    }

    /// Puts a table away, unless it runs.
    pub fn remove(&self, id: &str) {
        locked(&self.0).retain(|table| {
            table.id != id || matches!(*locked(&table.progress), Progress::Running(_))
        });
    }

    /// All of them, newest first.
    pub fn all(&self) -> Vec<Arc<Table>> {
        locked(&self.0).iter().rev().cloned().collect()
    }
}
