//! Keys, counted as a person's fingers would count them: every key that goes down, modifiers too.
//!
//! A scanner types as well, but costs nobody a key.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde_json::{Value, json};

use super::Browser;

/// What a hand takes at least from its last letter to Enter. The driver types as fast as a scanner, and a page that knows
/// scanners by their pace would take a shorter one for it.
const HAND_MS: u64 = 150;
/// From one key of a scanner to its next.
const SCAN_PACE_S: f64 = 0.006;

/// A key without a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// To the next field
    Tab,
    /// Enter
    Enter,
    /// Escape
    Escape,
    /// Space
    Space,
    /// One up
    Up,
    /// One down
    Down,
    /// One to the left
    Left,
    /// One to the right
    Right,
    /// Backspace
    Backspace,
    /// Control, held by a chord
    Control,
    /// Shift, held by a chord
    Shift,
    /// Alt, held by a chord
    Alt,
    /// F8
    F8,
    /// F9
    F9,
}

impl Key {
    fn code(self) -> &'static str {
        match self {
            Self::Tab => "\u{e004}",
            Self::Enter => "\u{e007}",
            Self::Escape => "\u{e00c}",
            Self::Space => " ",
            Self::Up => "\u{e013}",
            Self::Down => "\u{e015}",
            Self::Left => "\u{e012}",
            Self::Right => "\u{e014}",
            Self::Backspace => "\u{e003}",
            Self::Control => "\u{e009}",
            Self::Shift => "\u{e008}",
            Self::Alt => "\u{e00a}",
            Self::F8 => "\u{e038}",
            Self::F9 => "\u{e039}",
        }
    }
}

fn down(key: &str) -> Value {
    json!({ "type": "keyDown", "value": key })
}

fn up(key: &str) -> Value {
    json!({ "type": "keyUp", "value": key })
}

impl Browser {
    /// Types into whatever has the focus, letter by letter.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn type_text(&mut self, text: &str) -> Result<()> {
        let keys = text.chars().map(String::from);
        let mut count = 0;
        let steps: Vec<Value> = keys
            .flat_map(|key| {
                count += 1;
                [down(&key), up(&key)]
            })
            .collect();
        self.keys_pressed += count;
        self.keyboard(steps).await
    }

    /// Presses one key.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn press(&mut self, key: Key) -> Result<()> {
        self.keys_pressed += 1;
        let mut steps = Vec::new();
        if key == Key::Enter {
            steps.push(json!({ "type": "pause", "duration": HAND_MS }));
        }
        steps.extend([down(key.code()), up(key.code())]);
        self.keyboard(steps).await
    }

    /// Presses the same key so many times.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn press_times(&mut self, key: Key, times: u32) -> Result<()> {
        for _ in 0..times {
            self.press(key).await?;
        }
        Ok(())
    }

    /// Holds one key and presses another: two keys.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn chord(&mut self, held: Key, key: Key) -> Result<()> {
        self.keys_pressed += 2;
        let (held, key) = (held.code(), key.code());
        self.keyboard(vec![down(held), down(key), up(key), up(held)])
            .await
    }

    /// A scanner reads a code: its characters in a few milliseconds, then Enter. Counts no key.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn scan(&self, code: &str) -> Result<()> {
        self.scan_all(&[code]).await
    }

    /// A scanner reads codes one right behind the other. Each key carries the time at which a scanner would have sent it,
    /// so that a busy machine does not turn a scan into typing.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn scan_all(&self, codes: &[&str]) -> Result<()> {
        self.keys_at(codes, SCAN_PACE_S).await
    }

    /// Codes with an Enter behind each, one key every `pace_s` seconds by the times that the keys carry. Counts no key.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn keys_at(&self, codes: &[&str], pace_s: f64) -> Result<()> {
        // A hand that lays the device down and takes the scanner up.
        self.keyboard(vec![json!({ "type": "pause", "duration": HAND_MS })])
            .await?;
        let begun_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
        let keys = codes
            .iter()
            .flat_map(|code| code.chars().map(Some).chain([None]));
        for (number, key) in keys.enumerate() {
            let timestamp = begun_s + pace_s * f64::from(u16::try_from(number)?);
            let event = match key {
                Some(letter) => {
                    let letter = letter.to_string();
                    json!({ "type": "keyDown", "key": letter, "text": letter, "timestamp": timestamp })
                }
                None => json!({ "type": "keyDown", "key": "Enter", "code": "Enter", "text": "\r",
                                "windowsVirtualKeyCode": 13, "timestamp": timestamp }),
            };
            self.devtools("Input.dispatchKeyEvent", &event).await?;
        }
        Ok(())
    }

    /// Keys pressed since the last call.
    pub fn take_key_count(&mut self) -> u32 {
        std::mem::take(&mut self.keys_pressed)
    }

    async fn keyboard(&self, steps: Vec<Value>) -> Result<()> {
        let source = json!({ "type": "key", "id": "keyboard", "actions": steps });
        let call = json!({ "actions": [source] });
        self.wire.post("actions", &call).await.map(drop)
    }
}
