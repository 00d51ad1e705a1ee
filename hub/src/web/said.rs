//! What a person just did, said once on the page that follows, with the way back where there is one.
//!
//! It is held in memory only, of each session the last, because a way back may hold personal values; nothing depends
//! on it but a line of text and a button. A way back is a use case that refuses when things stand otherwise by now.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::permission::Permission;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use web_kit::{PageForm, Problem, Toast};

use super::act::{Refusal, act, done, is_refusal};
use super::view::View;
use super::{HOME, UNDO};
use crate::api::{Caller, HubState};
use crate::app::HubTx;
use crate::app::error::AppError;

/// Ways back that are held at most; the oldest go first.
const WAYS_MOST: usize = 400;
/// Sessions at most for which something waits to be said.
const SAID_MOST: usize = 2_000;

web_kit::catalogue! {
    /// What is said of ways back.
    struct SaidTexts {
        taken_back: "is as it was before" | "ist wieder wie vorher",
        too_late: "Too late to take it back here" | "Zu spät, um es hier zurückzunehmen",
        stays: "stays as it is." | "bleibt, wie es ist.",
        same: "Nothing was different, nothing was written" | "Nichts war anders, nichts wurde geschrieben",
    }
}

type Work = Arc<dyn for<'a> Fn(&'a mut HubTx) -> BoxFuture<'a, Result<(), AppError>> + Send + Sync>;

/// What takes back what was done.
#[derive(Clone)]
pub(crate) struct WayBack {
    permission: Permission,
    code: u16,
    back: String,
    saying: Option<&'static str>,
    work: Work,
}

impl WayBack {
    /// A way back by a use case that writes under `code` and needs `permission`; the person is led to `back` then.
    pub(crate) fn new<F>(
        permission: Permission,
        code: u16,
        back: impl Into<String>,
        work: F,
    ) -> Self
    where
        F: for<'a> Fn(&'a mut HubTx) -> BoxFuture<'a, Result<(), AppError>> + Send + Sync + 'static,
    {
        Self {
            permission,
            code,
            back: back.into(),
            saying: None,
            work: Arc::new(work),
        }
    }

    /// With what is said then, where it is not as it was before.
    #[must_use]
    pub(crate) fn saying(mut self, text: &'static str) -> Self {
        self.saying = Some(text);
        self
    }
}

impl std::fmt::Debug for WayBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WayBack")
            .field("back", &self.back)
            .finish_non_exhaustive()
    }
}

/// What was done, in one line.
#[derive(Debug)]
pub(crate) struct Deed {
    strong: String,
    text: String,
    is_late: bool,
    way: Option<WayBack>,
}

impl Deed {
    /// Something that was done with what `strong` names.
    pub(crate) fn new(strong: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            strong: strong.into(),
            text: text.into(),
            is_late: false,
            way: None,
        }
    }

    /// Something that was refused, and why.
    pub(crate) fn late(strong: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            is_late: true,
            ..Self::new(strong, text)
        }
    }

    /// A form that was sent as it had come.
    pub(crate) fn nothing(view: &View) -> Self {
        Self::new(SaidTexts::of(view.language()).same, "")
    }

    /// With a way back.
    #[must_use]
    pub(crate) fn back(mut self, way: WayBack) -> Self {
        self.way = Some(way);
        self
    }
}

struct Kept {
    strong: String,
    text: String,
    is_late: bool,
    way: Option<String>,
}

struct Way {
    id: String,
    session: [u8; 32],
    strong: String,
    way: WayBack,
}

#[derive(Default)]
struct Inner {
    said: BTreeMap<[u8; 32], Kept>,
    ways: VecDeque<Way>,
}

/// What waits to be said, and the ways back.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Inner>);

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory")
    }
}

impl Memory {
    /// Has something said on the next page that this session opens.
    pub(crate) fn say(&self, state: &HubState, who: &Caller, deed: Deed) {
        let session = who.token_hash;
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let way = deed.way.map(|way| {
            let id = state.form_key().to_string();
            inner.ways.push_back(Way {
                id: id.clone(),
                session,
                strong: deed.strong.clone(),
                way,
            });
            id
        });
        if inner.ways.len() > WAYS_MOST {
            inner.ways.pop_front();
        }
        if inner.said.len() >= SAID_MOST {
            inner.said.clear();
        }
        inner.said.insert(
            session,
            Kept {
                strong: deed.strong,
                text: deed.text,
                is_late: deed.is_late,
                way,
            },
        );
    }

    /// What is to be said on a page that this session opens now.
    pub(crate) fn take(&self, state: &HubState, who: &Caller) -> Option<Toast> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = inner.said.remove(&who.token_hash)?;
        drop(inner);
        let toast = Toast::new(kept.strong, kept.text);
        let toast = if kept.is_late { toast.late() } else { toast };
        Some(match kept.way {
            Some(way) => {
                let key = state.form_key().to_string();
                toast.undo_by_page(UNDO, vec![("key", key), ("way", way)])
            }
            None => toast,
        })
    }

    fn way(&self, who: &Caller, id: &str) -> Option<(String, WayBack)> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let way = inner
            .ways
            .iter()
            .find(|way| way.id == id && way.session == who.token_hash)?;
        Some((way.strong.clone(), way.way.clone()))
    }
}

/// Which way back.
#[derive(Debug, Deserialize)]
pub struct UndoFields {
    #[serde(default)]
    way: String,
}

/// Takes back what the toast said, and says so.
pub(crate) async fn undo(
    State(state): State<HubState>,
    who: Caller,
    PageForm { fields, request }: PageForm<UndoFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = SaidTexts::of(view.language());
    let Some((strong, way)) = state.said().way(&who, &fields.way) else {
        let gone = Deed::late(t.too_late, "");
        state.said().say(&state, &who, gone);
        return Ok(Redirect::to(HOME).into_response());
    };
    who.person.require(way.permission)?;
    let work = way.work.clone();
    let taken = act(&state, &who, way.code, request, move |tx| {
        Box::pin(async move {
            work(tx).await?;
            Ok(done(serde_json::Value::Null))
        })
    });
    let deed = match taken.await {
        Ok(_) => Deed::new(strong, way.saying.unwrap_or(t.taken_back)),
        Err(problem) if is_refusal(&problem) => {
            let why = Refusal::of(&problem, view.language()).above(&[]).join(" ");
            Deed::late(strong, format!("{} {why}", t.stays))
        }
        Err(problem) => return Err(problem),
    };
    state.said().say(&state, &who, deed);
    Ok(Redirect::to(&way.back).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(SaidTexts::ALL),
            Vec::<String>::new()
        );
    }
}
