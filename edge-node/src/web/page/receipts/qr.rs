//! A link as a QR code (ISO/IEC 18004), drawn as one path.

use qrcode::{Color, EcLevel, QrCode};

/// Clear modules that a reader needs on every side.
const QUIET: usize = 4;

/// A drawn code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Code {
    /// The `viewBox`, with the quiet zone.
    pub(super) view_box: String,
    /// The `d` of one path.
    pub(super) path: String,
}

/// The code of a text; none where it is too long for any.
pub(super) fn code(text: &str) -> Option<Code> {
    let drawn = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = drawn.width();
    let mut path = String::new();
    for (y, row) in drawn.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row[x..]
                .iter()
                .take_while(|module| **module == Color::Dark)
                .count();
            if run > 0 {
                path.push_str(&format!("M{x} {y}h{run}v1h-{run}z"));
            }
            x += run.max(1);
        }
    }
    let side = width + 2 * QUIET;
    Some(Code {
        view_box: format!("-{QUIET} -{QUIET} {side} {side}"),
        path,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_link_is_drawn_with_its_three_corners() {
        let drawn = code("https://pay.example/p/1").unwrap();
        assert_eq!(drawn.view_box, "-4 -4 33 33");
        assert!(drawn.path.starts_with("M0 0h7v1h-7z"), "{}", drawn.path);
        assert!(code(&"x".repeat(5_000)).is_none());
    }
}
