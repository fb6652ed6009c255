//! Checks that docs/reference.md has exactly the properties, attributes and variables of the functions.

use std::collections::BTreeSet;
use std::fs;

use syn::visit::{self, Visit};

use super::sentences::each_source;
use crate::checkout;
use crate::failure::{Doing, Failure};

/// Each resource type and the folder of its code, from the root of the checkout.
const RESOURCE_TYPES: [(&str, &str); 3] = [
    ("PublishedZone", "functions/publish-zone/src"),
    (
        "DelegatedSubdomain",
        "functions/delegate-subdomain/src/subdomain",
    ),
    (
        "SubdomainCertificate",
        "functions/delegate-subdomain/src/certificate",
    ),
];

/// Returns the differences between the page and the code.
pub(super) fn faults() -> Result<Vec<String>, Failure> {
    let page = checkout::root().join("docs").join("reference.md");
    let page = fs::read_to_string(page).doing(|| "read docs/reference.md".into())?;
    let mut faults = Vec::new();
    let mut compare = |heading: &str, in_code: BTreeSet<String>| {
        let on_page = names(&page, heading);
        let difference = in_code.symmetric_difference(&on_page);
        faults.extend(difference.map(|name| {
            let (has, lacks) = if on_page.contains(name) {
                ("the page has", "the code has not")
            } else {
                ("the code has", "the page has not")
            };
            format!("reference.md, {heading}: {has} {name}, {lacks}")
        }));
    };
    for (name, folder) in RESOURCE_TYPES {
        let mut found = Found::default();
        each_source(&checkout::root().join(folder), &mut |file| {
            found.visit_file(file);
        })?;
        found.names.insert("Ref".into());
        compare(&format!("`Custom::{name}`"), found.names);
    }
    let mut variables = Variables::default();
    each_source(&checkout::root().join("crates"), &mut |file| {
        variables.visit_file(file);
    })?;
    compare("Environment of the functions", variables.names);
    Ok(faults)
}

/// Returns the names in backticks in the first cells of the tables under a heading.
fn names(page: &str, heading: &str) -> BTreeSet<String> {
    let section = page
        .split_once(&format!("\n## {heading}\n"))
        .map_or("", |(_, rest)| rest);
    let section = section.split("\n## ").next().unwrap_or(section);
    let cells = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

/// The properties and attributes of a resource type.
#[derive(Default)]
struct Found {
    names: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Found {
    /// A template's properties are the fields of `Template`.
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if item.ident == "Template" {
            self.names.extend(item.fields.iter().filter_map(property));
        }
    }

    /// The code adds an attribute of an answer with `.attribute("NAME", value)`.
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "attribute" {
            self.names.extend(call.args.first().and_then(text));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(item) {
            visit::visit_item_mod(self, item);
        }
    }
}

/// Returns the name of a field in a template: serde's `rename`, or the field's name in Pascal case.
fn property(field: &syn::Field) -> Option<String> {
    let mut renamed = None;
    for attribute in field
        .attrs
        .iter()
        .filter(|one| one.path().is_ident("serde"))
    {
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                renamed = Some(meta.value()?.parse::<syn::LitStr>()?.value());
            } else if let Ok(value) = meta.value() {
                value.parse::<syn::Lit>()?;
            }
            Ok(())
        });
    }
    let pascal = |name: String| {
        name.split('_')
            .map(|word| word[..1].to_uppercase() + &word[1..])
            .collect()
    };
    renamed.or_else(|| Some(pascal(field.ident.as_ref()?.to_string())))
}

fn text(expression: &syn::Expr) -> Option<String> {
    match expression {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

fn is_test(item: &syn::ItemMod) -> bool {
    item.ident == "tests" || item.ident == "inputs"
}

/// The environment variables that the libraries read, found by the form of their names.
#[derive(Default)]
struct Variables {
    names: BTreeSet<String>,
}

/// Variables that Lambda sets.
const OF_LAMBDA: &str = "AWS_LAMBDA_";
const PREFIXES: [&str; 6] = ["AWS_", "DNS_", "MAX_", "RUST_", "STACK_ID", "STATE_"];

impl<'ast> Visit<'ast> for Variables {
    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        let text = literal.value();
        let is_name = text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        if is_name
            && !text.starts_with(OF_LAMBDA)
            && PREFIXES.iter().any(|prefix| text.starts_with(prefix))
        {
            self.names.insert(text);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(item) {
            visit::visit_item_mod(self, item);
        }
    }
}
