//! Small helpers for HTML text and tables.

use std::fmt;
use std::fmt::Write;

/// Text with the characters that HTML reserves replaced.
pub(super) struct Escaped<T>(pub(super) T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.to_string().chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// A table in a scrollable box. Columns whose heading begins with `#` are numbers and stand right; what follows a line
/// break in a cell stands small below.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let class = |heading: &str| {
        if heading.starts_with('#') {
            " class=\"number\""
        } else {
            ""
        }
    };
    let mut text = String::from("<div class=\"scroll\"><table><thead><tr>");
    for heading in headings {
        let _ = write!(
            text,
            "<th{}>{}</th>",
            class(heading),
            Escaped(heading.trim_start_matches('#'))
        );
    }
    text.push_str("</tr></thead><tbody>");
    for row in rows {
        text.push_str("<tr>");
        for (cell, heading) in row.iter().zip(headings) {
            let (first, rest) = cell.split_once('\n').unwrap_or((cell, ""));
            let _ = write!(text, "<td{}>{}", class(heading), Escaped(first));
            if !rest.is_empty() {
                let _ = write!(text, "<small>{}</small>", Escaped(rest));
            }
            text.push_str("</td>");
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody></table></div>\n");
    text
}

/// A section with a heading, a note and content.
pub(super) fn section(title: &str, note: &str, content: &str) -> String {
    format!(
        "<section><h2>{}</h2><p class=\"note\">{}</p>{content}</section>\n",
        Escaped(title),
        Escaped(note)
    )
}
