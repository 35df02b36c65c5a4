//! Where in a file something stands, and what its comments allow.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Spans};
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

use super::rule::Rule;

/// The words of a file, each with its line, in lower case; the first line is 1.
pub struct Words {
    words: Vec<(String, u64)>,
    comments: Vec<(String, u64)>,
}

/// `-- lint: allow <rule> because <reason>`.
#[derive(Debug, Clone)]
pub struct Allow {
    pub line: u64,
    /// The line it speaks of: its own, or the next that holds more than a comment.
    pub target: u64,
    pub id: String,
    pub rule: Option<Rule>,
    pub reason: String,
}

impl Words {
    pub fn of(text: &str) -> Self {
        let mut found = Self { words: Vec::new(), comments: Vec::new() };
        // A file that does not tokenise was refused before.
        let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location().unwrap_or_default();
        for token in tokens {
            let line = token.span.start.line;
            match token.token {
                Token::Whitespace(Whitespace::SingleLineComment { comment, .. }) => {
                    found.comments.push((comment, line))
                }
                Token::Whitespace(_) => {}
                Token::Word(word) => found.words.push((word.value.to_lowercase(), line)),
                other => found.words.push((other.to_string(), line)),
            }
        }
        found
    }

    /// The line of the first place where these words follow each other.
    pub fn line_of(&self, phrase: &[&str]) -> Option<u64> {
        self.lines_of(phrase).next()
    }

    fn lines_of<'a>(&'a self, phrase: &'a [&'a str]) -> impl Iterator<Item = u64> + 'a {
        let same = move |window: &&[(String, u64)]| window.iter().zip(phrase).all(|((word, _), wanted)| word == wanted);
        self.words.windows(phrase.len().max(1)).filter(same).filter_map(|window| window.first()).map(|(_, line)| *line)
    }

    /// The line that reads `table`, under `alias` where it has one: the last up to the line `until`, or else the first.
    pub fn line_of_table(&self, table: &str, alias: Option<&str>, until: Option<u64>) -> Option<u64> {
        let find = |phrase: &[&str]| match until {
            None => self.line_of(phrase),
            Some(until) => self.lines_of(phrase).filter(|line| *line <= until).last(),
        };
        let parts: Vec<&str> = table.split('.').flat_map(|part| [".", part]).skip(1).collect();
        let with = |between: &[&str]| {
            let phrase: Vec<&str> = parts.iter().chain(between).copied().chain(alias).collect();
            find(&phrase)
        };
        alias.and_then(|_| with(&[]).or_else(|| with(&["as"]))).or_else(|| find(&parts))
    }

    /// The line of an expression: of its first column, or of the function it is.
    pub fn line_of_expr(&self, expr: &Expr) -> Option<u64> {
        let mut line: Option<u64> = None;
        let mut name: Option<String> = None;
        let _ = expr.apply(|part| {
            let spans: Option<&Spans> = match part {
                Expr::Column(Column { spans, .. }) | Expr::OuterReferenceColumn(_, Column { spans, .. }) => Some(spans),
                Expr::ScalarFunction(function) => {
                    name.get_or_insert_with(|| function.name().to_owned());
                    None
                }
                Expr::AggregateFunction(function) => {
                    name.get_or_insert_with(|| function.func.name().to_owned());
                    None
                }
                Expr::WindowFunction(function) => {
                    name.get_or_insert_with(|| function.fun.name().to_owned());
                    None
                }
                _ => None,
            };
            for span in spans.into_iter().flat_map(Spans::iter) {
                line = Some(line.map_or(span.start.line, |line| line.min(span.start.line)));
            }
            Ok(TreeNodeRecursion::Continue)
        });
        line.or_else(|| self.line_of(&[name?.as_str(), "("]))
    }

    /// What the comments allow.
    pub fn allows(&self) -> Vec<Allow> {
        let mut allows = Vec::new();
        for (comment, line) in &self.comments {
            let Some(rest) = comment.trim().strip_prefix("lint:").map(str::trim) else { continue };
            let rest = rest.strip_prefix("allow").unwrap_or(rest).trim();
            let (id, reason) = rest.split_once("because").unwrap_or((rest, ""));
            let (id, reason) = (id.trim().to_owned(), reason.trim().to_owned());
            let lines = || self.words.iter().map(|(_, line)| *line);
            let target = if lines().any(|word| word == *line) { Some(*line) } else { lines().find(|word| word > line) };
            let rule = Rule::allowable(&id);
            allows.push(Allow { line: *line, target: target.unwrap_or(*line), id, rule, reason });
        }
        allows
    }
}
