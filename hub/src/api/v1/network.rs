//! Every branch as a point of a map, in columns: small also for very many.

use axum::Json;
use axum::extract::State;
use domain::branch::Location;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::Problem;
use web_kit::openapi::ReadErrors;

use crate::api::caller::{May, may};
use crate::api::state::HubState;
use crate::app::network::{self, BranchNow, Health};
use web_kit::wire::Time;

/// One degree in `latitudes` and `longitudes`.
const DEGREE: i32 = 10_000;

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new().routes(routes!(get))
}

/// The branches that lie somewhere, the worst first: the n-th value of each column belongs to the n-th branch.
#[derive(Debug, Serialize, ToSchema)]
pub struct NetworkPoints {
    /// When this was so.
    as_of: Time,
    /// What `state` counts: `cut_off`, `decide`, `catching_up`, `no_machine`, `well`, `closed`.
    states: Vec<&'static str>,
    /// Their codes.
    codes: Vec<String>,
    /// Their names.
    names: Vec<String>,
    /// Ten thousandths of a degree north.
    latitudes: Vec<i32>,
    /// Ten thousandths of a degree east.
    longitudes: Vec<i32>,
    /// Place in `states`.
    state: Vec<u8>,
    /// How many branches have no place on the map.
    nowhere: usize,
}

impl NetworkPoints {
    fn of(branches: Vec<BranchNow>, now_ms: i64) -> Self {
        let all = branches.len();
        let mut points = Self {
            as_of: Time(now_ms),
            states: Health::ALL.iter().map(|health| health.as_str()).collect(),
            codes: Vec::with_capacity(all),
            names: Vec::with_capacity(all),
            latitudes: Vec::with_capacity(all),
            longitudes: Vec::with_capacity(all),
            state: Vec::with_capacity(all),
            nowhere: 0,
        };
        for branch in branches {
            match branch.place.location {
                Some(location) => points.push(branch, location),
                None => points.nowhere += 1,
            }
        }
        points
    }

    fn push(&mut self, branch: BranchNow, location: Location) {
        let scale = 10_000_000 / DEGREE;
        let state = Health::ALL.iter().position(|known| *known == branch.health);
        self.codes.push(branch.place.code);
        self.names.push(branch.place.name);
        self.latitudes.push(location.latitude_e7 / scale);
        self.longitudes.push(location.longitude_e7 / scale);
        self.state
            .push(state.and_then(|at| u8::try_from(at).ok()).unwrap_or(0));
    }
}

/// The network now.
#[utoipa::path(get, path = "/api/v1/network", tag = "branches",
    responses((status = 200, body = NetworkPoints), ReadErrors))]
async fn get(
    State(state): State<HubState>,
    who: May<may::BasicsRead>,
) -> Result<Json<NetworkPoints>, Problem> {
    let branches = network::all(state.hub(), &who.person.scope()).await?;
    let now_ms = state.hub().env().now_ms();
    Ok(Json(NetworkPoints::of(branches, now_ms)))
}
