//! The Markdown our own texts are written in, as HTML: headings, paragraphs,
//! tables, code, and in a line code and links. No more, for nobody else's text
//! comes here.

use maud::{Markup, html};

/// A part of a text.
enum Block<'t> {
    /// A heading, how deep it is, and its words.
    Heading(usize, &'t str),
    /// Code between fences, with the language it is in.
    Code(&'t str, String),
    /// The rows of a table, the head first.
    Table(Vec<Vec<&'t str>>),
    /// Lines of a paragraph.
    Paragraph(String),
}

/// A text; its deepest-but-one headings become `h2`, as the page has the `h1`.
pub fn text(source: &str) -> Markup {
    html! {
        @for block in blocks(source) {
            @match block {
                Block::Heading(..=2, words) => h2 #(slug(words)) { (line(words)) },
                Block::Heading(_, words) => h3 #(slug(words)) { (line(words)) },
                Block::Code(language, code) => pre data-language=[(!language.is_empty()).then_some(language)] { (code) },
                Block::Table(rows) => (table(&rows)),
                Block::Paragraph(words) => p { (line(&words)) },
            }
        }
    }
}

/// One line: code between backticks, links, and the rest as it is.
pub fn line(source: &str) -> Markup {
    let (mut parts, mut rest) = (Vec::new(), source);
    while let Some(at) = rest.find(['`', '[']) {
        let (before, marked) = rest.split_at(at);
        let Some((part, after)) = code(marked).or_else(|| link(marked)) else {
            // A bracket that begins no link.
            parts.push(html! { (before) (&marked[..1]) });
            rest = &marked[1..];
            continue;
        };
        parts.push(html! { (before) (part) });
        rest = after;
    }
    html! { @for part in &parts { (part) } (rest) }
}

/// The name under which a heading is found on its page.
pub fn slug(words: &str) -> String {
    let words = words.to_lowercase().replace(['`', ',', ':', '\''], "");
    words.trim().replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

fn code(marked: &str) -> Option<(Markup, &str)> {
    let (code, after) = marked.strip_prefix('`')?.split_once('`')?;
    Some((html! { code { (code) } }, after))
}

fn link(marked: &str) -> Option<(Markup, &str)> {
    let (words, rest) = marked.strip_prefix('[')?.split_once("](")?;
    let (address, after) = rest.split_once(')')?;
    let is_ours = !words.contains('[') && (address.starts_with("https://") || address.starts_with('#'));
    is_ours.then(|| (html! { a href=(address) { (words) } }, after))
}

fn table(rows: &[Vec<&str>]) -> Markup {
    let (head, body) = rows.split_at(rows.len().min(1));
    html! {
        div.table tabindex="0" {
            table {
                @for row in head { thead { tr { @for cell in row { th scope="col" { (line(cell)) } } } } }
                tbody { @for row in body { tr { @for cell in row { td { (line(cell)) } } } } }
            }
        }
    }
}

fn blocks(source: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = source.lines().peekable();
    while let Some(first) = lines.next() {
        if let Some(language) = first.strip_prefix("```") {
            let code: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block::Code(language, code.join("\n")));
        } else if first.starts_with('#') {
            let words = first.trim_start_matches('#');
            blocks.push(Block::Heading(first.len() - words.len(), words.trim()));
        } else if first.starts_with('|') {
            let mut rows = vec![cells(first)];
            while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                rows.push(cells(row));
            }
            // The line of dashes under the head.
            rows.retain(|row| !row.iter().all(|cell| cell.starts_with("---")));
            blocks.push(Block::Table(rows));
        } else if !first.trim().is_empty() {
            let mut words = first.to_owned();
            while let Some(more) =
                lines.next_if(|line| !line.is_empty() && !line.starts_with(['#', '|', '`']))
            {
                words.push(' ');
                words.push_str(more);
            }
            blocks.push(Block::Paragraph(words));
        }
    }
    blocks
}

fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split(" | ").map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_what_it_says() {
        let source = "## `ctx`: what\n\nOne line,\nand [a link](https://rhai.rs/).\n\n| a | b |\n| --- | --- |\n\
                      | `x[0]` | [1] |\n\n```rhai\nlet a = 1 < 2;\n\n#{}\n```\n";
        assert_eq!(
            text(source).into_string(),
            "<h2 id=\"ctx-what\"><code>ctx</code>: what</h2>\
             <p>One line, and <a href=\"https://rhai.rs/\">a link</a>.</p>\
             <div class=\"table\" tabindex=\"0\"><table>\
             <thead><tr><th scope=\"col\">a</th><th scope=\"col\">b</th></tr></thead>\
             <tbody><tr><td><code>x[0]</code></td><td>[1]</td></tr></tbody></table></div>\
             <pre data-language=\"rhai\">let a = 1 &lt; 2;\n\n#{}</pre>"
        );
    }

    #[test]
    fn what_is_no_mark_stays_as_it_is() {
        for plain in ["a ` b", "[a](javascript:b)", "[a] (b)", "a [b", "<i>"] {
            let shown = line(plain).into_string().replace("&lt;", "<").replace("&gt;", ">");
            assert_eq!(shown, plain);
        }
    }
}
