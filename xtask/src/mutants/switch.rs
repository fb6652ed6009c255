//! Writes many mutants into one source file, each behind a switch: `crate::mutant(7)` is true in a process
//! with `MUTANT=7` in its environment, so that one build contains them all.
//!
//! The added text has no line breaks, so that line numbers do not change.

use std::ops::Range;

use proc_macro2::{LineColumn, Span};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::list::{Genre, Mutant};

/// The text that is added to a crate's `lib.rs`.
pub(super) const SWITCH: &str = "\
/// Returns whether this process is that mutant.
#[doc(hidden)]
pub(crate) fn mutant(number: usize) -> bool {
    static NUMBER: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    let of_process = || std::env::var(\"MUTANT\").ok()?.parse().ok();
    *NUMBER.get_or_init(|| of_process().unwrap_or(usize::MAX)) == number
}
";

/// A source file with its mutants.
#[derive(Debug)]
pub(super) struct Switched {
    pub(super) text: String,
    /// Each mutant in the file, with the range of its added text and the range of the code that it changes,
    /// in bytes.
    places: Vec<(usize, Range<usize>, Range<usize>)>,
    /// Each mutant that deletes an arm, with the first line of its match.
    arms: Vec<(usize, usize)>,
}

impl Switched {
    /// Returns the mutants that cause an error of the compiler, by the byte and the line of the error: the
    /// mutant whose text has the error; else those that delete arms of the match that begins there; else the
    /// smallest one around it.
    pub(super) fn mutants_at(&self, at: usize, line: usize) -> Vec<usize> {
        let number = |(number, ..): &(usize, Range<usize>, Range<usize>)| *number;
        let added = self.places.iter().find(|(_, added, _)| added.contains(&at));
        if let Some(added) = added {
            return vec![number(added)];
        }
        let arms = self.arms.iter().filter(|(_, begins)| *begins == line);
        let arms: Vec<usize> = arms.map(|(number, _)| *number).collect();
        if !arms.is_empty() {
            return arms;
        }
        let around = self.places.iter().filter(|(_, _, all)| all.contains(&at));
        let around = around.min_by_key(|(_, _, all)| all.len());
        around.map(number).into_iter().collect()
    }

    /// Returns whether the file has a mutant.
    pub(super) fn has(&self, number: usize) -> bool {
        self.places.iter().any(|(of, ..)| *of == number)
    }
}

/// Writes these mutants into a file's text, each with its number. A mutant is left out if it cannot have a
/// switch: in a `const` function, and in code that is not an expression.
///
/// # Errors
/// The text is not Rust.
pub(super) fn switched(text: &str, mutants: &[(usize, &Mutant)]) -> syn::Result<Switched> {
    let file = syn::parse_file(text)?;
    let mut sites = Sites {
        text,
        mutants,
        edits: Vec::new(),
        arms: Vec::new(),
    };
    sites.visit_file(&file);
    Ok(sites.written())
}

/// Text that is added around a part of the code.
struct Edit {
    number: usize,
    range: Range<usize>,
    before: String,
    after: &'static str,
}

struct Sites<'a> {
    text: &'a str,
    mutants: &'a [(usize, &'a Mutant)],
    edits: Vec<Edit>,
    arms: Vec<(usize, usize)>,
}

impl Sites<'_> {
    fn offset(&self, at: LineColumn) -> usize {
        let lines = self.text.split_inclusive('\n');
        let before: usize = lines.take(at.line - 1).map(str::len).sum();
        let line = &self.text[before..];
        let column = line.char_indices().nth(at.column);
        before + column.map_or(line.len(), |(byte, _)| byte)
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.offset(span.start())..self.offset(span.end())
    }

    /// Returns the mutants of a kind at a place.
    fn at(&self, genre: Genre, span: Span) -> Vec<(usize, String)> {
        let start = span.start();
        let here = self.mutants.iter().filter(|(_, mutant)| {
            mutant.genre == genre && (mutant.line, mutant.column) == (start.line, start.column + 1)
        });
        here.map(|(number, mutant)| (*number, mutant.replacement.clone()))
            .collect()
    }

    /// Replaces an expression in processes with that mutant.
    fn choose(&mut self, number: usize, span: Span, instead: &str) {
        let before = format!("(if crate::mutant({number}) {{ {instead} }} else {{ ");
        let range = self.range(span);
        self.edits.push(Edit {
            number,
            range,
            before,
            after: " })",
        });
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let Some(first) = block
            .stmts
            .first()
            .filter(|_| signature.constness.is_none())
        else {
            return;
        };
        for (number, instead) in self.at(Genre::FnValue, first.span()) {
            let range = self.range(block.span());
            self.edits.push(Edit {
                number,
                range: range.start + 1..range.end - 1,
                before: format!(" if crate::mutant({number}) {{ return {instead}; }} "),
                after: "",
            });
        }
    }

    fn written(mut self) -> Switched {
        // A mutant whose text has a line break is left out.
        self.edits.retain(|edit| !edit.before.contains('\n'));
        let mut stops: Vec<usize> = (self.edits.iter())
            .flat_map(|edit| [edit.range.start, edit.range.end])
            .collect();
        stops.sort_unstable();
        stops.dedup();
        let mut text = String::new();
        let mut places: Vec<(usize, Range<usize>, Range<usize>)> = Vec::new();
        let mut from = 0;
        for stop in stops {
            text.push_str(&self.text[from..stop]);
            from = stop;
            // Inner edits end first and outer edits begin first, because outer ones were visited first.
            for edit in self
                .edits
                .iter()
                .rev()
                .filter(|edit| edit.range.end == stop)
            {
                text.push_str(edit.after);
                let place = places
                    .iter_mut()
                    .find(|(number, ..)| *number == edit.number);
                if let Some((_, _, all)) = place {
                    all.end = text.len();
                }
            }
            for edit in self.edits.iter().filter(|edit| edit.range.start == stop) {
                let start = text.len();
                text.push_str(&edit.before);
                let added = start..text.len();
                places.push((edit.number, added.clone(), added));
            }
        }
        text.push_str(&self.text[from..]);
        Switched {
            text,
            places,
            arms: self.arms,
        }
    }
}

/// Returns an expression's text on one line, without comments.
fn text_of(expression: &impl ToTokens) -> String {
    expression.to_token_stream().to_string()
}

impl<'ast> Visit<'ast> for Sites<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        for (number, operator) in self.at(Genre::BinaryOperator, binary.op.span()) {
            let (left, right) = (text_of(&binary.left), text_of(&binary.right));
            self.choose(number, binary.span(), &format!("{left} {operator} {right}"));
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        for (number, operator) in self.at(Genre::UnaryOperator, unary.op.span()) {
            let instead = format!("{operator} {}", text_of(&unary.expr));
            self.choose(number, unary.span(), &instead);
        }
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_match(&mut self, matched: &'ast syn::ExprMatch) {
        let line = matched.span().start().line;
        for arm in &matched.arms {
            let deleted = self.at(Genre::MatchArm, arm.span());
            self.arms
                .extend(deleted.iter().map(|(number, _)| (*number, line)));
        }
        visit::visit_expr_match(self, matched);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        for (number, _) in self.at(Genre::MatchArm, arm.span()) {
            // A deleted arm is one whose guard is false.
            let (start, before, after) = match &arm.guard {
                Some((_, guard)) => {
                    let before = format!("!crate::mutant({number}) && (");
                    (self.range(guard.span()), before, ")")
                }
                None => {
                    let end = self.offset(arm.pat.span().end());
                    (end..end, format!(" if !crate::mutant({number})"), "")
                }
            };
            self.edits.push(Edit {
                number,
                range: start,
                before,
                after,
            });
        }
        if let Some((_, guard)) = &arm.guard {
            for (number, instead) in self.at(Genre::MatchArmGuard, guard.span()) {
                self.choose(number, guard.span(), &instead);
            }
        }
        visit::visit_arm(self, arm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(genre: Genre, (line, column): (usize, usize), replacement: &str) -> Mutant {
        Mutant {
            file: String::new(),
            genre,
            line,
            column,
            replacement: replacement.to_owned(),
            about: String::new(),
        }
    }

    const CODE: &str = "\
fn f(a: u8, b: Option<u8>) -> bool {
    let c = !(a == 1) && a < 2;
    match b {
        Some(1) => c, // one
        Some(n) if n == 2 => !c,
        _ => true,
    }
}
";

    /// Returns the code with these mutants, numbered from 0.
    fn written(mutants: &[Mutant]) -> Switched {
        let numbered: Vec<(usize, &Mutant)> = mutants.iter().enumerate().collect();
        switched(CODE, &numbered).unwrap()
    }

    #[test]
    fn each_kind_of_mutant_has_its_switch() {
        for (mutant, wanted) in [
            (
                mutant(Genre::FnValue, (2, 5), "false"),
                "-> bool { if crate::mutant(0) { return false; } \n",
            ),
            (
                mutant(Genre::BinaryOperator, (2, 17), "!="),
                "!((if crate::mutant(0) { a != 1 } else { a == 1 }))",
            ),
            (
                mutant(Genre::UnaryOperator, (2, 13), ""),
                "= (if crate::mutant(0) {  (a == 1) } else { !(a == 1) })",
            ),
            (
                mutant(Genre::MatchArm, (4, 9), ""),
                "Some(1) if !crate::mutant(0) => c,",
            ),
            (
                mutant(Genre::MatchArm, (5, 9), ""),
                "Some(n) if !crate::mutant(0) && (n == 2) => !c,",
            ),
            (
                mutant(Genre::MatchArmGuard, (5, 20), "true"),
                "if (if crate::mutant(0) { true } else { n == 2 }) =>",
            ),
        ] {
            let text = written(&[mutant]).text;
            assert!(text.contains(wanted), "{text}");
            assert_eq!(text.lines().count(), CODE.lines().count());
        }
    }

    #[test]
    fn nested_mutants_have_a_switch_each() {
        let file = written(&[
            mutant(Genre::BinaryOperator, (2, 23), "||"),
            mutant(Genre::BinaryOperator, (2, 28), ">"),
            mutant(Genre::BinaryOperator, (2, 28), "=="),
        ]);
        let wanted = "let c = (if crate::mutant(0) { ! (a == 1) || a < 2 } else { !(a == 1) && \
                      (if crate::mutant(1) { a > 2 } else { (if crate::mutant(2) { a == 2 } else { a < 2 }) }) });";
        assert!(file.text.contains(wanted), "{}", file.text);
        let at = |text: &str| file.text.find(text).unwrap();
        assert_eq!(file.mutants_at(at("a > 2"), 2), [1]);
        assert_eq!(file.mutants_at(at("a < 2 })"), 2), [2]);
        assert_eq!(file.mutants_at(at("!(a == 1)"), 2), [0]);
        assert!(file.mutants_at(at("fn f"), 1).is_empty());
    }

    #[test]
    fn a_match_that_lacks_arms_is_an_error_of_their_mutants() {
        let file = written(&[
            mutant(Genre::MatchArm, (4, 9), ""),
            mutant(Genre::MatchArm, (6, 9), ""),
        ]);
        let at = file.text.find("match b").unwrap() + 6;
        assert_eq!(file.mutants_at(at, 3), [0, 1]);
    }

    #[test]
    fn a_const_function_has_no_switch() {
        let code = "const fn f() -> u8 {\n    1\n}\n";
        let mutant = mutant(Genre::FnValue, (2, 5), "0");
        assert!(!switched(code, &[(0, &mutant)]).unwrap().has(0));
    }
}
