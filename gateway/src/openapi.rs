//! The gateway's HTTP side for `/openapi.json`; what it says over GraphQL, the schema describes.

use utoipa::openapi::OpenApi;

/// Its own routes; the routes that every service has are added where they are mounted.
pub fn openapi() -> OpenApi {
    serde_json::from_str(include_str!("../openapi.json")).expect("a test reads it")
}

#[cfg(test)]
mod tests {
    use super::openapi;

    #[test]
    fn it_describes_graphql() {
        let paths = openapi().paths.paths;
        let graphql = paths.get("/graphql").expect("described");
        assert!(graphql.get.is_some() && graphql.post.is_some());
        assert!(paths.contains_key("/schema.graphql") && paths.contains_key("/asyncapi.json"));
    }
}
