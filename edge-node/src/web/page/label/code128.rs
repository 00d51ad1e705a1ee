//! Code 128 (ISO/IEC 15417) as bars, for labels and receipts.
//!
//! Runs of digits are set in code C, everything else in code B; text beyond printable ASCII has no code and gives
//! none. Eleven modules a symbol, so an order number of twelve signs needs 167 modules with its check and stop.

/// Widths of bar, space, bar, space, bar, space of each symbol; the stop has a seventh.
const SYMBOLS: [&str; 107] = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212",
    "221213", "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221",
    "223211", "221132", "221231", "213212", "223112", "312131", "311222", "321122", "321221",
    "312212", "322112", "322211", "212123", "212321", "232121", "111323", "131123", "131321",
    "112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331", "132131",
    "113123", "113321", "133121", "313121", "211331", "231131", "213113", "213311", "213131",
    "311123", "311321", "331121", "312113", "312311", "332111", "314111", "221411", "431111",
    "111224", "111422", "121124", "121421", "141122", "141221", "112214", "112412", "122114",
    "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111", "111242",
    "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
    "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311",
    "113141", "114131", "311141", "411131", "211412", "211214", "211232", "2331112",
];

const TO_C: u8 = 99;
const TO_B: u8 = 100;
const START_B: u8 = 104;
const START_C: u8 = 105;
const STOP: u8 = 106;
/// Clear modules that a reader needs on either side.
const QUIET: u32 = 10;
/// Fewest digits in a row that are shorter in code C, at the ends and inside.
const DIGITS_AT_END: usize = 4;
const DIGITS_INSIDE: usize = 6;

/// Bars that are drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bars {
    /// The `viewBox`, with the quiet zones.
    pub(crate) view_box: String,
    /// The `d` of one path, ten units high.
    pub(crate) path: String,
}

/// The bars of a text; none for an empty text or one with other signs than printable ASCII.
pub(crate) fn bars(text: &str) -> Option<Bars> {
    let symbols = symbols(text)?;
    let mut path = String::new();
    let mut x = 0;
    for symbol in symbols {
        let widths = SYMBOLS[usize::from(symbol)];
        for (at, width) in widths.bytes().enumerate() {
            let width = u32::from(width - b'0');
            if at % 2 == 0 {
                path.push_str(&format!("M{x} 0h{width}v10h-{width}z"));
            }
            x += width;
        }
    }
    Some(Bars {
        view_box: format!("-{QUIET} 0 {} 10", x + 2 * QUIET),
        path,
    })
}

/// Start, data, check, stop.
fn symbols(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    if bytes.is_empty() || !bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return None;
    }
    let mut symbols = Vec::with_capacity(bytes.len() + 4);
    let mut in_c = false;
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit());
        let digits = digits.count();
        let is_at_end = at == 0 || at + digits == bytes.len();
        let enough = if is_at_end {
            DIGITS_AT_END
        } else {
            DIGITS_INSIDE
        };
        let pairs = if digits >= enough || (in_c && digits >= 2) {
            digits / 2
        } else {
            0
        };
        // Of an odd run inside the last digit is left to code B, at its end the first one.
        let is_odd_end = at > 0 && !in_c && digits % 2 == 1 && at + digits == bytes.len();
        if pairs > 0 && !is_odd_end {
            if !in_c {
                symbols.push(if at == 0 { START_C } else { TO_C });
                in_c = true;
            }
            for pair in bytes[at..at + 2 * pairs].chunks(2) {
                symbols.push((pair[0] - b'0') * 10 + (pair[1] - b'0'));
            }
            at += 2 * pairs;
            continue;
        }
        if at == 0 {
            symbols.push(START_B);
        } else if in_c {
            symbols.push(TO_B);
        }
        in_c = false;
        symbols.push(bytes[at] - b' ');
        at += 1;
    }
    let sum = symbols
        .iter()
        .enumerate()
        .map(|(place, symbol)| place.max(1) * usize::from(*symbol));
    let check = sum.sum::<usize>() % 103;
    symbols.push(u8::try_from(check).ok()?);
    symbols.push(STOP);
    Some(symbols)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    /// Reads the drawn path as a reader sees it: where it is dark, module by module.
    fn read(bars: &Bars) -> String {
        let mut modules = Vec::new();
        for bar in bars.path.split('M').skip(1) {
            let (x, rest) = bar.split_once(' ').unwrap();
            let width = rest.strip_prefix("0h").unwrap().split_once('v').unwrap().0;
            let (x, width): (usize, usize) = (x.parse().unwrap(), width.parse().unwrap());
            modules.resize(x, false);
            modules.resize(x + width, true);
        }
        let view: Vec<&str> = bars.view_box.split(' ').collect();
        assert_eq!(view[0], "-10");
        assert_eq!(
            view[2].parse::<usize>().unwrap(),
            modules.len() + 20,
            "quiet on both sides"
        );
        let mut widths: Vec<u8> = Vec::new();
        for (at, dark) in modules.iter().enumerate() {
            if at > 0 && modules[at - 1] == *dark {
                *widths.last_mut().unwrap() += 1;
            } else {
                widths.push(1);
            }
        }
        let text = |widths: &[u8]| {
            widths
                .iter()
                .map(|width| char::from(width + b'0'))
                .collect::<String>()
        };
        assert_eq!(text(&widths[widths.len() - 7..]), "2331112", "the stop");
        let values: Vec<usize> = widths[..widths.len() - 7]
            .chunks(6)
            .map(|symbol| {
                SYMBOLS
                    .iter()
                    .position(|known| **known == text(symbol))
                    .unwrap()
            })
            .collect();
        let (check, data) = values.split_last().unwrap();
        let sum: usize = data
            .iter()
            .enumerate()
            .map(|(place, value)| place.max(1) * value)
            .sum();
        assert_eq!(sum % 103, *check, "the check symbol");
        let mut in_c = match data[0] {
            104 => false,
            105 => true,
            other => panic!("no start: {other}"),
        };
        let mut read = String::new();
        for value in &data[1..] {
            match (in_c, value) {
                (true, 100) => in_c = false,
                (false, 99) => in_c = true,
                (true, pair) => read.push_str(&format!("{pair:02}")),
                (false, sign) => read.push(char::from(u8::try_from(*sign).unwrap() + b' ')),
            }
        }
        read
    }

    #[test]
    fn what_is_drawn_reads_back() {
        for text in [
            "BER-4F7K2M-9",
            "LEI-123456-7",
            "MUC-000000-0",
            "7HK2Q93",
            "356938035643809",
            "1234",
            "12345",
            "1",
            "A1234",
            "A12345",
            "AB123456CD",
            "AB1234567CD",
            "~ !",
            "99999999999A",
        ] {
            assert_eq!(read(&bars(text).unwrap()), text);
        }
        assert_eq!(bars(""), None);
        assert_eq!(bars("Zürich"), None);
    }

    /// A label of another program's making: the bars must be the same.
    #[test]
    fn the_bars_are_those_of_the_standard() {
        let drawn = bars("LEI-4201").unwrap().path;
        let starts: Vec<&str> = drawn
            .split('M')
            .skip(1)
            .map(|bar| bar.split_once('v').unwrap().0)
            .collect();
        let known = "0 0h2 3 0h1 6 0h1 11 0h1 15 0h2 18 0h3 22 0h1 26 0h2 29 0h1 33 0h2 38 0h1 42 0h1 44 0h1 47 0h2 \
                     50 0h3";
        let known: Vec<&str> = known.split(' ').collect();
        let known: Vec<String> = known.chunks(2).map(|bar| bar.join(" ")).collect();
        assert_eq!(starts[..known.len()], known[..]);
    }
}
