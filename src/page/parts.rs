//! Parts of pages: fields of forms, messages, badges, tables' ends.

use maud::{Markup, PreEscaped, Render, html};

use super::Form;

/// A field of one line.
#[derive(Default)]
pub struct Input<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// What to write into it, if the label does not say.
    pub hint: &'a str,
    /// The kind of input, `text` if empty.
    pub kind: &'a str,
    /// Whether it may be left empty.
    pub optional: bool,
    /// What the browser may fill in.
    pub autocomplete: &'a str,
}

/// A field of several lines.
#[derive(Default)]
pub struct Area<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// What to write into it, if the label does not say.
    pub hint: &'a str,
    /// How many lines it shows.
    pub rows: usize,
    /// Whether it holds source, headers or the like.
    pub code: bool,
}

/// Draws a field of one line.
pub fn input(form: &Form, input: &Input<'_>) -> Markup {
    let secret = input.kind == "password";
    let kind = if input.kind.is_empty() { "text" } else { input.kind };
    let autocomplete = if input.autocomplete.is_empty() { "off" } else { input.autocomplete };
    let control = html! {
        input id=(form.id(input.name)) name=(input.name) type=(kind)
            value=[(!secret).then(|| form.value(input.name))] required[!input.optional]
            autocomplete=(autocomplete) autocapitalize="none" spellcheck="false"
            aria-invalid=[form.error(input.name).map(|_| "true")]
            autofocus[form.error(input.name).is_some()]
            aria-describedby=[described_by(form, input.name, input.hint)];
    };
    labelled(form, (input.name, input.label, input.hint), &control)
}

/// Draws a field of several lines.
pub fn area(form: &Form, area: &Area<'_>) -> Markup {
    // A browser drops the first line break of a text area: this one, not the text's.
    let control = html! {
        textarea id=(form.id(area.name)) name=(area.name) rows=(area.rows) class=[area.code.then_some("code")]
            spellcheck="false" autocapitalize="none" autocomplete="off"
            aria-invalid=[form.error(area.name).map(|_| "true")]
            autofocus[form.error(area.name).is_some()]
            aria-describedby=[described_by(form, area.name, area.hint)] {
            "\n" (form.value(area.name))
        }
    };
    labelled(form, (area.name, area.label, area.hint), &control)
}

/// Draws a choice of one of several: value and name each.
pub fn select(form: &Form, (name, label): (&str, &str), options: &[(String, String)]) -> Markup {
    let control = html! {
        select id=(form.id(name)) name=(name) aria-invalid=[form.error(name).map(|_| "true")]
            autofocus[form.error(name).is_some()]
            aria-describedby=[described_by(form, name, "")] {
            @for (value, text) in options {
                option value=(value) selected[value.as_str() == form.value(name)] { (text) }
            }
        }
    };
    labelled(form, (name, label, ""), &control)
}

/// Draws a box to tick.
pub fn tick(form: &Form, name: &str, label: &str) -> Markup {
    html! {
        div.field.tick {
            label {
                input type="checkbox" name=(name) value="true" checked[form.is_ticked(name)]
                    aria-invalid=[form.error(name).map(|_| "true")] autofocus[form.error(name).is_some()]
                    aria-describedby=[described_by(form, name, "")];
                " " (label)
            }
            @if let Some(error) = form.error(name) {
                p.error id={ (form.id(name)) "-error" } { (sentence(error)) }
            }
        }
    }
}

fn labelled(form: &Form, (name, label, hint): (&str, &str, &str), control: &Markup) -> Markup {
    let id = form.id(name);
    html! {
        div.field {
            label for=(id) { (label) }
            (control)
            @if let Some(error) = form.error(name) {
                p.error id={ (id) "-error" } { (sentence(error)) }
            }
            @if !hint.is_empty() { p.hint id={ (id) "-hint" } { (hint) } }
        }
    }
}

fn described_by(form: &Form, name: &str, hint: &str) -> Option<String> {
    let id = form.id(name);
    let error = form.error(name).map(|_| format!("{id}-error"));
    let hint = (!hint.is_empty()).then(|| format!("{id}-hint"));
    let ids: Vec<String> = error.into_iter().chain(hint).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

/// What is wrong with a form as a whole, above its fields. The browser goes there,
/// or to the first field with an error, wherever on the page the form is.
pub fn troubles(form: &Form) -> Markup {
    html! {
        @for trouble in form.troubles() {
            p.message.bad role="alert" tabindex="-1" autofocus { (sentence(&trouble)) }
        }
    }
}

/// A message that something was done.
pub fn said(text: &str) -> Markup {
    html! { p.message.good role="status" { (text) } }
}

/// A message that something was not done, and why.
pub fn refused(why: &str) -> Markup {
    html! { p.message.bad role="alert" { (sentence(why)) } }
}

/// The empty state of a list: what the thing is for, and the first step.
pub fn empty(what_for: &str, first_step: &Markup) -> Markup {
    html! {
        div.empty { p { (what_for) } (first_step) }
    }
}

/// A status code as a badge, coloured by its class.
pub fn status(status: u16) -> Markup {
    let class = match status {
        0..300 => "good",
        300..400 => "plain",
        400..500 => "warn",
        _ => "bad",
    };
    badge(class, &status.to_string())
}

/// A short word, set apart: `good`, `plain`, `warn` or `bad`.
pub fn badge(class: &str, text: &str) -> Markup {
    html! { span.badge.(class) { (text) } }
}

/// A text to copy: one click selects it whole.
pub fn copyable(text: &str) -> Markup {
    html! { code.copy { (text) } }
}

/// The hidden field every form has that posts; [`Frame::around`](super::layout::Frame::around) fills in whose it is.
pub fn token() -> Markup {
    PreEscaped(EMPTY_TOKEN.to_owned())
}

/// No text of a user or a script looks like this in a page: there `<` is written otherwise.
const EMPTY_TOKEN: &str = r#"<input type="hidden" name="form_token" value="">"#;

/// The same page with `token` in its forms.
pub(super) fn with_token(page: &Markup, token: &str) -> Markup {
    let filled = html! { input type="hidden" name="form_token" value=(token); };
    PreEscaped(page.0.replace(EMPTY_TOKEN, &filled.0))
}

/// A button that posts at once, for what needs no confirmation.
pub fn post(action: &str, label: &str, class: &str) -> Markup {
    html! {
        form.inline method="post" action=(action) { (token()) button class=(class) { (label) } }
    }
}

/// A destructive action behind an explanation that is opened first.
pub fn danger(summary: &str, body: &impl Render) -> Markup {
    html! {
        details.danger { summary { (summary) } (body) }
    }
}

/// The way to a list's next page.
pub fn next_page(address: &str, cursor: Option<&str>) -> Markup {
    html! {
        @if let Some(cursor) = cursor {
            p.pager { a rel="next" href=(with_cursor(address, cursor)) { "Next page" } }
        }
    }
}

fn with_cursor(address: &str, cursor: &str) -> String {
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}cursor={cursor}")
}

/// Text as a sentence: messages of fields begin with a small letter and have no full stop.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let mut sentence: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    sentence.push_str(chars.as_str());
    if !sentence.ends_with(['.', '!', '?', ':']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_error_becomes_a_sentence() {
        assert_eq!(sentence("must not be blank"), "Must not be blank.");
        assert_eq!(sentence("Done."), "Done.");
    }

    #[test]
    fn a_hostile_value_stays_text() {
        let form = Form::with([("name", "\"><script>alert(1)</script>".to_owned())]);
        let drawn = input(&form, &Input { name: "name", label: "Name", ..Input::default() }).into_string();
        assert!(!drawn.contains("<script>") && drawn.contains("&quot;&gt;&lt;script&gt;"), "{drawn}");
    }

    #[test]
    fn a_password_is_never_sent_back() {
        let form = Form::with([("password", "correct horse".to_owned())]);
        let field = Input { name: "password", label: "Password", kind: "password", ..Input::default() };
        assert!(!input(&form, &field).into_string().contains("correct horse"));
    }
}
