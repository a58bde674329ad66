//! A form as it was posted: values are taken out of it, and it can be drawn
//! again with what was typed and the errors at their fields.

use std::{fmt::Display, str::FromStr};

use axum::extract::{FromRequest, Request};
use http::{StatusCode, header};

use crate::{
    access::Caller,
    base::{Error, FieldError, Result},
    web::{State, body, origin},
};

/// A form: what its fields hold, and what is wrong with them.
#[derive(Clone, Debug, Default)]
pub struct Form {
    values: Vec<(String, String)>,
    errors: Vec<FieldError>,
    /// What is wrong with the whole rather than with a field.
    trouble: Option<String>,
    /// Sets apart the ids of several forms on one page.
    prefix: &'static str,
}

impl Form {
    /// A form nobody has posted yet, holding `values`.
    pub fn with<const N: usize>(values: [(&str, String); N]) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { values, ..Self::default() }
    }

    /// The same form with a field holding `value`.
    #[must_use]
    pub fn filled(mut self, name: &str, value: &str) -> Self {
        self.values.retain(|(key, _)| key != name);
        self.values.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same form with ids that begin with `prefix`.
    #[must_use]
    pub fn named(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix;
        self
    }

    /// The same form with a box ticked.
    #[must_use]
    pub fn ticked(mut self, name: &str) -> Self {
        self.values.push((name.to_owned(), "true".to_owned()));
        self
    }

    /// The id of a field's element.
    pub fn id(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}-{name}", self.prefix) }
    }

    /// What a field holds; empty if it was not sent.
    pub fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Whether a box is ticked.
    pub fn is_ticked(&self, name: &str) -> bool {
        self.values.iter().any(|(key, _)| key == name)
    }

    /// Reads a field, noting what is wrong with it.
    pub fn read<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        match self.value(name).parse() {
            Ok(value) => Some(value),
            Err(why) => {
                let why: T::Err = why;
                self.wrong(name, why.to_string());
                None
            }
        }
    }

    /// Reads a field that may be left empty.
    pub fn read_if_any<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        if self.value(name).is_empty() { None } else { self.read(name) }
    }

    /// Notes what is wrong with a field.
    pub fn wrong(&mut self, name: &str, why: impl Into<String>) {
        self.errors.push(FieldError { field: name.to_owned(), message: why.into() });
    }

    /// What was read, unless something was wrong with it.
    pub fn done<T>(&mut self, read: Option<T>) -> Result<T> {
        match read {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Error::Invalid(std::mem::take(&mut self.errors))),
        }
    }

    /// Takes a refusal that concerns the person at the form, who shall see it
    /// with what they typed; any other error is handed back.
    pub fn refused(&mut self, error: Error) -> Result<StatusCode> {
        match error {
            Error::Invalid(errors) => {
                self.errors = errors;
                Ok(StatusCode::UNPROCESSABLE_ENTITY)
            }
            Error::Conflict(why) => {
                self.trouble = Some(why);
                Ok(StatusCode::CONFLICT)
            }
            other => Err(other),
        }
    }

    /// Notes what is wrong with the whole form.
    pub fn trouble(&mut self, why: impl Into<String>) {
        self.trouble = Some(why.into());
    }

    /// What is wrong with a field.
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == name).map(|error| error.message.as_str())
    }

    /// What is wrong with the whole form, or with fields it does not show.
    pub fn troubles(&self) -> impl Iterator<Item = String> {
        let unseen = self.errors.iter().filter(|error| !self.is_ticked(&error.field));
        self.trouble.iter().cloned().chain(unseen.map(|e| format!("{}: {}", e.field, e.message)))
    }
}

impl FromRequest<State> for Form {
    type Rejection = Error;

    /// Takes forms of this origin only, also where nobody is signed in: a
    /// stranger's page shall not sign a visitor in as somebody else.
    async fn from_request(request: Request, state: &State) -> Result<Self> {
        let (parts, stream) = request.into_parts();
        origin::require_same_origin(&parts)?;
        let media = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = media.and_then(|text| text.parse::<mime::Mime>().ok());
        if media.is_none_or(|media| media.essence_str() != mime::APPLICATION_WWW_FORM_URLENCODED) {
            return Err(Error::UnsupportedMedia(
                "send the form as application/x-www-form-urlencoded".to_owned(),
            ));
        }
        let http = &state.config.http;
        let bytes = body::read(stream, http.body_limit, http.request_timeout).await?;
        // Browsers send each line break of a text area as two characters.
        let pairs = form_urlencoded::parse(&bytes);
        let values = pairs.map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n"))).collect();
        let form = Self { values, ..Self::default() };
        form.require_token_of(parts.extensions.get(), state)?;
        Ok(form)
    }
}

impl Form {
    /// Refuses a form that was not drawn for the person who sends it. Who is not
    /// signed in has nothing that a stranger's page could use.
    fn require_token_of(&self, caller: Option<&Caller>, state: &State) -> Result<()> {
        let wrong = |caller: &Caller| !state.form_key.is_right(caller.user.id, self.value("form_token"));
        if caller.is_some_and(wrong) {
            return Err(Error::Forbidden(
                "the form is not one that was drawn for you; load its page again and send that".to_owned(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::name::{AppName, Slug};

    #[test]
    fn all_that_is_wrong_is_said_at_once_and_what_was_typed_is_kept() {
        let mut form = Form::with([("slug", "No".to_owned()), ("name", " ".to_owned())]);
        let (slug, name) = (form.read::<Slug>("slug"), form.read::<AppName>("name"));
        let error = form.done(slug.zip(name)).expect_err("two errors");
        assert_eq!(form.refused(error).ok(), Some(StatusCode::UNPROCESSABLE_ENTITY));
        assert!(form.error("slug").is_some() && form.error("name").is_some());
        assert_eq!(form.value("slug"), "No");
        assert_eq!(form.troubles().count(), 0);
    }

    #[test]
    fn an_error_of_a_field_that_is_not_shown_is_said_above_the_form() {
        let mut form = Form::default();
        assert!(form.refused(Error::invalid("host", "no domain covers it")).is_ok());
        assert_eq!(form.troubles().collect::<Vec<_>>(), ["host: no domain covers it"]);
    }

    #[test]
    fn what_is_no_fault_of_the_form_is_handed_back() {
        assert!(Form::default().refused(Error::NotFound("app".to_owned())).is_err());
    }
}
