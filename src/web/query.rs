//! Query strings of the API, taken strictly: an unknown parameter is an error.

use aide::{
    OperationInput,
    generate::GenContext,
    openapi::Operation,
    operation::{ParamLocation, add_parameters, parameters_from_schema},
};
use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::{body::field_error, state::State};
use crate::base::{Error, Result, cursor};

/// The parameters of the query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// Passed only by a request without query parameters: what takes none refuses them all.
#[derive(Debug)]
pub struct NoQuery;

/// No parameters.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl FromRequestParts<State> for NoQuery {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self> {
        parse::<Nothing>(parts.uri.query().unwrap_or_default()).map(|_| Self)
    }
}

impl OperationInput for NoQuery {}

/// Which page of a list is wanted.
#[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// How many items at most, 1 to 200; 50 if it is left out.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

impl Paging {
    /// How many items at most.
    pub fn limit(&self) -> Result<u32> {
        cursor::limit(self.limit)
    }

    /// Where the page begins.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }
}

impl<T: DeserializeOwned> FromRequestParts<State> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// Parses a query string; a wrong or unknown parameter is named.
fn parse<T: DeserializeOwned>(query: &str) -> Result<T> {
    let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        Error::Invalid(vec![field_error(&path, &error.into_inner().to_string())])
    })
}

impl<T: schemars::JsonSchema> OperationInput for Query<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        axum::extract::Query::<T>::operation_input(ctx, operation);
    }
}

/// Documents a parameter of the path that an extractor takes by name.
pub(super) fn document_path_param(
    ctx: &mut GenContext,
    operation: &mut Operation,
    (name, description): (&str, &str),
) {
    let schema = schemars::json_schema!({
        "type": "object",
        "required": [name],
        "properties": { name: { "type": "string", "description": description } },
    });
    let params = parameters_from_schema(ctx, schema, ParamLocation::Path);
    add_parameters(ctx, operation, params);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(query: &str) -> Option<String> {
        match parse::<Paging>(query) {
            Err(Error::Invalid(errors)) => errors.into_iter().map(|e| e.field).next(),
            _ => None,
        }
    }

    #[test]
    fn an_unknown_or_wrong_parameter_is_named() -> Result<()> {
        assert_eq!(parse::<Paging>("limit=7")?.limit, Some(7));
        assert_eq!(field("limmit=7").as_deref(), Some("limmit"));
        assert_eq!(field("limit=many").as_deref(), Some("limit"));
        Ok(())
    }
}
