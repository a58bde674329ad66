//! The hosts an app answers on.

use aide::axum::{
    ApiRouter,
    routing::{delete_with, get_with},
};
use axum::{Json, extract::State as AxumState, response::NoContent};

use crate::{
    access::capability::needs::{AppManageDomains, AppRead},
    admin,
    base::{Result, cursor::Page, pattern::HostPattern},
    store::domain::{self, Domain},
    web::{Body, Created, InApp, NoQuery, OnDomain, Paging, Query, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/apps/{app}/domains",
            get_with(list, |op| op.id("listDomains").tag("apps").summary("The hosts an app claims"))
                .post_with(claim, |op| {
                    op.id("claimDomain")
                        .tag("apps")
                        .summary("Claim a host, or all hosts below a name")
                        .description("409 if another app holds the host or a part of the wildcard.")
                }),
        )
        .api_route(
            "/apps/{app}/domains/{domain}",
            delete_with(release, |op| {
                op.id("releaseDomain")
                    .tag("apps")
                    .summary("Give a domain up")
                    .description("409, naming them, while routes need it.")
            }),
        )
}

async fn list(
    AxumState(state): AxumState<State>,
    on: InApp<AppRead>,
    Query(page): Query<Paging>,
) -> Result<Json<Page<Domain>>> {
    let limit = page.limit()?;
    Ok(Json(domain::list(&state.db, on.app.id, page.cursor(), limit).await?))
}

/// What is claimed.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewDomain {
    /// One host, `garden.local`, or all below a name, `*.garden.local`.
    pattern: HostPattern,
}

async fn claim(
    AxumState(state): AxumState<State>,
    on: InApp<AppManageDomains>,
    _: NoQuery,
    Body(new): Body<NewDomain>,
) -> Result<Created<Domain>> {
    admin::domain::claim(&state, &on.caller, on.app.id, &new.pattern).await.map(Created)
}

async fn release(
    AxumState(state): AxumState<State>,
    on: OnDomain<AppManageDomains>,
    _: NoQuery,
) -> Result<NoContent> {
    admin::domain::release(&state, &on.caller, on.app.id, on.domain.id).await?;
    Ok(NoContent)
}
