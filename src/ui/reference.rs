//! The reference: what scripts see and every function they can call, with examples.

use axum::{Router, response::IntoResponse as _, routing::get};
use maud::{Markup, html};

use crate::{
    access::Caller,
    engine::{
        SdkModule,
        reference::{Function, GUIDE, Group, LANGUAGE, LIBRARY, anchor},
    },
    page::{
        Page, Place, Visit,
        layout::{Answer, Frame},
        prose::{line, slug, text},
    },
    web::State,
};

/// The page.
pub(super) const PAGE: Page =
    Page { path: "/admin/reference", place: Place::Top("Reference"), needs: None, router };

fn router() -> Router<State> {
    Router::new().route("/admin/reference", get(show))
}

async fn show(caller: Caller, visit: Visit) -> Answer {
    let page = html! {
        (contents())
        (text(prose()))
        h2 #the-standard-library { "The standard library" }
        p { "These modules are always there." }
        @for module in LIBRARY { (of_module(module)) }
        h2 #rhais-own-functions { "Rhai's own functions" }
        @for group in LANGUAGE { (of_group(group)) }
    };
    Ok(Frame::new(&visit, &caller, "Reference").around(&page).into_response())
}

/// The guide without its title: the page has one.
fn prose() -> &'static str {
    GUIDE.split_once('\n').map_or(GUIDE, |(_, rest)| rest)
}

/// Links to all there is, the functions by their names.
fn contents() -> Markup {
    let headings = prose().lines().filter_map(|line| line.strip_prefix("## "));
    html! {
        nav.contents.card aria-label="On this page" {
            p { @for words in headings { a href={ "#" (slug(words)) } { (line(words)) } " " } }
            @for module in LIBRARY { (links(module.name, &format!("`{}`", module.name), module.functions)) }
            @for group in LANGUAGE { (links(group.title, group.title, group.functions)) }
        }
    }
}

fn links(home: &str, shown: &str, functions: &[Function]) -> Markup {
    html! {
        p {
            a href={ "#" (slug(home)) } { (line(shown)) } ": "
            @for function in functions { a.quiet href={ "#" (anchor(home, function)) } { (function.name()) } " " }
        }
    }
}

fn of_module(module: &SdkModule) -> Markup {
    html! {
        section aria-labelledby=(slug(module.name)) {
            h3 #(slug(module.name)) { code { (module.name) } }
            p { (line(module.about)) }
            (table(module.name, &format!("{}::", module.name), module.functions))
        }
    }
}

fn of_group(group: &Group) -> Markup {
    html! {
        section aria-labelledby=(slug(group.title)) {
            h3 #(slug(group.title)) { (group.title) }
            p { (line(group.about)) }
            (table(group.title, "", group.functions))
        }
    }
}

fn table(home: &str, prefix: &str, functions: &[Function]) -> Markup {
    html! {
        div.table tabindex="0" {
            table.reference {
                thead { tr { th scope="col" { "Function" } th scope="col" { "What it does" } th scope="col" { "Example" } } }
                tbody {
                    @for function in functions {
                        tr #(anchor(home, function)) {
                            td { @for call in function.calls { div { code { (prefix) (call) } } } }
                            td {
                                (line(function.does))
                                @if !function.throws.is_empty() {
                                    " Throws "
                                    @for (index, kind) in function.throws.iter().enumerate() {
                                        @if index > 0 { ", " }
                                        code { (kind) }
                                    }
                                    "."
                                }
                            }
                            td { pre { (function.example) } pre.gives { (function.gives) } }
                        }
                    }
                }
            }
        }
    }
}
