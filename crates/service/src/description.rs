//! What the descriptions of all services' APIs have in common: who speaks, the security scheme `bearer`, the shape of an
//! error, the idempotency key of what changes something, the routes of every process, and in which order all is told.

use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, PathItem, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use crate::error::ErrorBody;
use crate::idempotency;

const OVERVIEW: &str = "Log in with `POST /login` of the users service, and give the token to *Authorize*. Money is an \
exact decimal string with its currency, a list goes on at its `next_cursor`, and every error is an `ErrorBody`.";

/// For those who run the shop.
const OPERATORS: &str = "operators";
/// For those who run the process.
const PROCESS: &str = "process";

/// Adds what all have in common.
pub(crate) fn complete(mut openapi: OpenApi, service: &'static str, version: &str) -> OpenApi {
    // Unless told so, utoipa describes the crate that made the router: its own.
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new().title(format!("Prost: {service}")).version(version).license(Some(license));
    openapi.info = info.description(Some(OVERVIEW)).build();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let components = openapi.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let mut schemas = vec![(ErrorBody::name().into_owned(), ErrorBody::schema())];
    ErrorBody::schemas(&mut schemas);
    components.schemas.extend(schemas);
    openapi.paths.paths.values_mut().for_each(idempotency::declare);
    for (path, operation) in common_operations() {
        openapi.paths.paths.insert(path.to_owned(), PathItem::new(HttpMethod::Get, operation));
    }
    group(&mut openapi, service);
    openapi
}

/// Puts what has no group into one, and the groups into the order in which a reader wants them.
fn group(openapi: &mut OpenApi, service: &str) {
    let mut groups: Vec<String> = Vec::new();
    for (path, item) in &mut openapi.paths.paths {
        let fallback = if path.starts_with("/admin/") { OPERATORS } else { service };
        for operation in operations(item) {
            groups.extend(operation.tags.get_or_insert_with(|| vec![fallback.to_owned()]).iter().cloned());
        }
    }
    let rank = |group: &str| match group {
        OPERATORS => 2,
        PROCESS => 3,
        _ => u8::from(group != service),
    };
    groups.sort_by(|one, other| (rank(one), one).cmp(&(rank(other), other)));
    groups.dedup();
    openapi.tags = Some(groups.into_iter().map(|name| TagBuilder::new().name(name).build()).collect());
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// What [`crate::health::standard_routes`] mounts.
fn common_operations() -> Vec<(&'static str, OperationBuilder)> {
    let operation = |summary: &str, ok: &str| {
        OperationBuilder::new().tag(PROCESS).summary(Some(summary)).response("200", response(ok))
    };
    let not_ready = || response("It is shutting down, or something that it needs is down");
    vec![
        (
            "/health",
            operation("What the service needs, and whether it is there", "All is there").response("503", not_ready()),
        ),
        ("/readyz", operation("May requests come?", "They may").response("503", not_ready())),
        ("/livez", operation("Does the process live?", "It does")),
        ("/metrics", operation("Counters and histograms", "In the format of Prometheus")),
    ]
}

fn response(description: &str) -> utoipa::openapi::Response {
    ResponseBuilder::new().description(description).build()
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::{OpenApiBuilder, PathsBuilder};

    use super::*;

    #[test]
    fn what_a_service_is_for_comes_before_what_every_process_has() {
        let operation = |tag: Option<&str>| match tag {
            Some(tag) => PathItem::new(HttpMethod::Get, OperationBuilder::new().tag(tag)),
            None => PathItem::new(HttpMethod::Get, OperationBuilder::new()),
        };
        let paths = PathsBuilder::new()
            .path("/admin/queues", operation(None))
            .path("/cellars", operation(Some("cellars")))
            .path("/bottles", operation(None));
        let described = complete(OpenApiBuilder::new().paths(paths).build(), "bottles", "1.2.3");
        let groups: Vec<String> = described.tags.into_iter().flatten().map(|tag| tag.name).collect();
        assert_eq!(groups, ["bottles", "cellars", OPERATORS, PROCESS]);
    }
}
