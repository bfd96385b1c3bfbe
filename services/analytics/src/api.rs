//! The REST endpoints: extract, call the authorising function, answer.

use std::sync::Arc;

use analytics_client::{AnalyticsApi, Rebuild, Report, ReportInfo, ReportName, ReportQuery};
use axum::extract::State;
use axum::http::StatusCode;
use service::{Admin, Error, ErrorBody, Json, Page, Path, Query};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Analytics;

type Service = State<Arc<Analytics>>;

/// The service's own endpoints with their OpenAPI.
pub fn router(service: Arc<Analytics>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(reports))
        .routes(routes!(report))
        .routes(routes!(rebuild_reports, rebuild_status, stop_rebuild))
        .with_state(service)
}

/// The reports there are.
#[utoipa::path(get, path = "/reports", tag = "analytics",
    responses((status = 200, body = Page<ReportInfo>), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
async fn reports(State(service): Service, Admin(caller): Admin) -> Result<Json<Page<ReportInfo>>, Error> {
    service.reports(&caller).await.map(Json)
}

/// One report over some days.
#[utoipa::path(get, path = "/reports/{name}", tag = "analytics", params(("name" = ReportName, Path), ReportQuery),
    responses((status = 200, body = Report), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn report(
    State(service): Service,
    Admin(caller): Admin,
    Path(name): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<Json<Report>, Error> {
    let name = name.parse().map_err(|message: String| Error::not_found("report_not_found", message))?;
    service.report(&caller, name, query).await.map(Json)
}

/// Begins to build all reports again from the archive of events (admin). Takes a while: ask again how far it is.
#[utoipa::path(post, path = "/admin/reports/rebuild", tag = "analytics",
    responses((status = 202, body = Rebuild), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn rebuild_reports(State(service): Service, Admin(caller): Admin) -> Result<(StatusCode, Json<Rebuild>), Error> {
    Ok((StatusCode::ACCEPTED, Json(service.rebuild_reports(&caller).await?)))
}

/// How far the rebuilding of the reports is (admin).
#[utoipa::path(get, path = "/admin/reports/rebuild", tag = "analytics",
    responses((status = 200, body = Rebuild), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn rebuild_status(State(service): Service, Admin(caller): Admin) -> Result<Json<Rebuild>, Error> {
    service.rebuild_status(&caller).await.map(Json)
}

/// Gives the rebuilding of the reports up (admin).
#[utoipa::path(delete, path = "/admin/reports/rebuild", tag = "analytics",
    extensions(("x-carried-out-anew" = json!(true))),
    responses((status = 200, body = Rebuild), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
async fn stop_rebuild(State(service): Service, Admin(caller): Admin) -> Result<Json<Rebuild>, Error> {
    service.stop_rebuild(&caller).await.map(Json)
}
