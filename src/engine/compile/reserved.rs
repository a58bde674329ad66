//! The tokens of a script, watched as Rhai reads them: finds where it declares
//! `ctx`, lets it call `log::debug`, and ends reading that takes too long.
//!
//! The resolver that makes `ctx` visible everywhere also wins over a variable
//! of that name, so a script that declares one would silently read another
//! value than it wrote. Rhai's own hook sees only `let` and `const`, and a
//! closure that merely uses `ctx` has it as a hidden parameter in the syntax
//! tree; so the tokens are watched.
//!
//! Rhai's parser takes time by the square of how many names, keys and closures
//! there are in one place, so that a text within its bounds can take minutes.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use rhai::{Engine, LexError, Position, Token};

/// The reserved name.
pub(in crate::engine) const NAME: &str = "ctx";

/// What is said to a script that changes it.
pub(in crate::engine) const ASSIGNED: &str =
    "nothing in `ctx` can be changed: put what you want to change into a variable, which is a copy";

/// What is said to a script that declares it.
pub(in crate::engine) const DECLARED: &str =
    "`ctx` is PiCloud's own name for the context of the run: call this variable something else";

/// How long reading a script may take; an ordinary one takes a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is said to a script that takes longer.
const TOO_INTRICATE: &str = "the script is too intricate to be read in 2 seconds: \
     spread what is in one place (keys of a map, variables, closures) over functions, or over several scripts";

thread_local! {
    static WATCH: RefCell<Watch> = const { RefCell::new(Watch::new()) };
}

/// Lets the engine show its tokens to [`watch`], and read a function's name
/// where Rhai sees a word of its own: `debug` after a module's name.
pub(in crate::engine) fn install(engine: &mut Engine) {
    #[expect(deprecated, reason = "Rhai marks its volatile interfaces so; there is no other")]
    engine.on_parse_token(|token, at, _| WATCH.with(|watch| watch.borrow_mut().token(token, at)));
}

/// Runs `parse`, and says where the text it read declares the reserved name.
pub(in crate::engine) fn watch<T>(parse: impl FnOnce() -> T) -> (T, Vec<Position>) {
    WATCH.with(|watch| {
        *watch.borrow_mut() = Watch { until: Instant::now().checked_add(PATIENCE), ..Watch::new() }
    });
    let parsed = parse();
    let declared = WATCH.with(|watch| std::mem::take(&mut watch.borrow_mut().declared));
    (parsed, declared)
}

/// Where in a declaration the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Elsewhere,
    /// After `let`, `const` or `for`: a name comes, or `(` with the two names of a loop.
    Name,
    /// After `fn`, or `catch`: names come within the next parentheses.
    BeforeList,
    /// Within such parentheses.
    List,
    /// After a `|`: if nothing but names and commas come before the next one, it was a closure.
    Pipes,
}

struct Watch {
    /// When reading has to be over.
    until: Option<Instant>,
    after_colons: bool,
    place: Place,
    /// Seen within what may be a closure's parameters.
    suspect: Option<Position>,
    declared: Vec<Position>,
}

impl Watch {
    const fn new() -> Self {
        Self {
            until: None,
            after_colons: false,
            place: Place::Elsewhere,
            suspect: None,
            declared: Vec::new(),
        }
    }

    fn token(&mut self, token: Token, at: Position) -> Token {
        if self.until.is_some_and(|until| Instant::now() > until) {
            return Token::LexError(Box::new(LexError::Runtime(TOO_INTRICATE.to_owned())));
        }
        self.look_at(&token, at);
        let named = std::mem::replace(&mut self.after_colons, token == Token::DoubleColon);
        match token {
            Token::Reserved(word) if named && word.as_str() == "debug" => Token::Identifier(word),
            other => other,
        }
    }

    fn look_at(&mut self, token: &Token, at: Position) {
        let named = matches!(token, Token::Identifier(name) if name.as_str() == NAME);
        self.place = match (self.place, token) {
            (_, Token::Let | Token::Const | Token::For) => Place::Name,
            (_, Token::Fn | Token::Catch) => Place::BeforeList,
            (Place::Name | Place::BeforeList, Token::LeftParen) | (Place::List, Token::Comma) => Place::List,
            (Place::Name | Place::List, Token::Identifier(_)) => {
                self.declared.extend(named.then_some(at));
                if self.place == Place::List { Place::List } else { Place::Elsewhere }
            }
            (Place::BeforeList, Token::Identifier(_)) => {
                // A function of that name would be what the name alone means.
                self.declared.extend(named.then_some(at));
                Place::BeforeList
            }
            (Place::BeforeList, Token::RightParen | Token::LeftBrace) | (Place::List, _) => Place::Elsewhere,
            (Place::BeforeList, _) => Place::BeforeList,
            (Place::Pipes, Token::Identifier(_)) => {
                self.suspect = self.suspect.or(named.then_some(at));
                Place::Pipes
            }
            (Place::Pipes, Token::Comma) => Place::Pipes,
            (Place::Pipes, Token::Pipe) => {
                self.declared.extend(self.suspect.take());
                // With a bitwise `|` this one may itself open a closure.
                Place::Pipes
            }
            (_, Token::Pipe) => {
                self.suspect = None;
                Place::Pipes
            }
            _ => Place::Elsewhere,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(source: &str) -> Vec<(Option<usize>, Option<usize>)> {
        let mut engine = Engine::new();
        install(&mut engine);
        let (parsed, declared) = watch(|| engine.compile(source));
        assert!(parsed.is_ok(), "{source}: {parsed:?}");
        declared.into_iter().map(|at| (at.line(), at.position())).collect()
    }

    #[test]
    fn every_way_to_declare_the_name_is_found() {
        for (source, column) in [
            ("let ctx = 1;", 5),
            ("const ctx = 1;", 7),
            ("let x = 1; let ctx;", 16),
            ("fn ctx() { 1 }", 4),
            ("fn f(ctx) { 1 }", 6),
            ("fn f(a, ctx) { 1 }", 9),
            ("let f = |ctx| 1;", 10),
            ("let f = |a, ctx, b| 1;", 13),
            ("let x = 1; [1].map(|ctx| 2)", 21),
            ("let x = 1 | 2; [1].map(|ctx| 2)", 25),
            ("let f = || |ctx| 2;", 13),
            ("for ctx in [1] {}", 5),
            ("for (a, ctx) in [1] {}", 9),
            ("for (ctx, a) in [1] {}", 6),
            ("try { 1 } catch (ctx) { 2 }", 18),
            ("let s = `${ let ctx = 1; ctx }`;", 17),
        ] {
            assert_eq!(declared(source), [(Some(1), Some(column))], "{source}");
        }
        assert_eq!(declared("let a = 1;\n  let ctx = a;"), [(Some(2), Some(7))]);
    }

    #[test]
    fn using_the_name_declares_nothing() {
        for source in [
            "let x = ctx.request.body;",
            "[1].map(|i| ctx.app.id)",
            "[1].map(|| ctx)",
            "fn f(a) { ctx.app.id } f(ctx)",
            "for x in ctx.request.body {}",
            "if x | ctx.flag { 1 }",
            "let m = #{ ctx: 1 }; m.ctx",
            "let s = \"let ctx = 1\"; // let ctx = 1",
            "let s = `|ctx|`;",
            "try { ctx } catch { ctx }",
            "let f = || ctx; f.call()",
        ] {
            assert_eq!(declared(source), [], "{source}");
        }
    }
}
