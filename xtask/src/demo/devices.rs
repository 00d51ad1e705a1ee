//! What the demo's customers bring: devices that exist, the faults they have, and the parts that mend them.
//!
//! Only kinds, models and prices; persons, orders and stock are made by `fill`.

use super::words::Dice;

/// A kind of device with its models and what goes wrong with them.
pub(crate) struct Category {
    /// As the Open Repair Data Standard names it.
    pub(crate) name: &'static str,
    /// Brand and model.
    models: &'static [(&'static str, &'static str)],
    /// What the customer leaves with it.
    accessories: &'static [&'static str],
    /// Parts of each model: first letters of the sku, name, price in cents.
    parts: [(&'static str, &'static str, i64); 8],
    /// Usual faults and what mending them costs.
    pub(crate) presets: &'static [Preset],
    /// What customers say, the preset it comes to, and the part of `parts` that mends it.
    faults: &'static [(&'static str, usize, Option<usize>)],
}

/// A usual fault.
pub(crate) struct Preset {
    /// The fault, in a word.
    pub(crate) fault: &'static str,
    /// What is done.
    pub(crate) service: &'static str,
    /// Price in cents, tax included.
    pub(crate) price_minor: i64,
    /// How long it takes.
    pub(crate) minutes: u32,
}

const fn preset(
    fault: &'static str,
    service: &'static str,
    price_minor: i64,
    minutes: u32,
) -> Preset {
    Preset {
        fault,
        service,
        price_minor,
        minutes,
    }
}

/// Every kind of device that the demo's shops take.
pub(crate) const CATEGORIES: [Category; 4] = [LAPTOP, MOBILE, TABLET, DESKTOP];

const LAPTOP: Category = Category {
    name: "Laptop",
    models: &[
        ("Lenovo", "ThinkPad T14"),
        ("HP", "EliteBook 840 G8"),
        ("Dell", "Latitude 5420"),
        ("Apple", "MacBook Air M1"),
        ("Acer", "Aspire 5"),
        ("Asus", "VivoBook 15"),
    ],
    accessories: &["charger", "sleeve", "mouse"],
    parts: [
        ("DSP", "Display", 9_900),
        ("BAT", "Battery", 5_900),
        ("KBD", "Keyboard", 4_900),
        ("PRT", "Charging port", 1_900),
        ("FAN", "Fan", 1_900),
        ("SSD", "Solid state drive 512 GB", 5_900),
        ("RAM", "Memory 16 GB", 4_900),
        ("HNG", "Hinge", 1_400),
    ],
    presets: &[
        preset("Screen", "Screen replaced", 8_900, 60),
        preset("Battery", "Battery replaced", 4_900, 45),
        preset("Liquid", "Liquid damage: open, clean, test", 8_900, 90),
        preset("Charging", "Charging port replaced", 7_900, 60),
        preset("Keyboard", "Keyboard replaced", 7_900, 75),
        preset("Slow", "Set up anew", 4_900, 60),
        preset("Data", "Data brought over", 9_900, 120),
        preset("Cleaning", "Cleaned inside", 1_900, 30),
    ],
    faults: &[
        ("Screen is cracked after a fall", 0, Some(0)),
        ("Battery lasts half an hour", 1, Some(1)),
        ("Wasserschaden, Tastatur reagiert nicht", 2, Some(2)),
        ("Charges only when the plug is held", 3, Some(3)),
        ("Keys e and n do not work", 4, Some(2)),
        ("Very slow since the update", 5, Some(5)),
        ("Fan is loud, gets hot on the lap", 7, Some(4)),
        ("Does not start, one light blinks twice", 2, None),
    ],
};

const MOBILE: Category = Category {
    name: "Mobile",
    models: &[
        ("Apple", "iPhone 13"),
        ("Samsung", "Galaxy A54"),
        ("Samsung", "Galaxy S22"),
        ("Fairphone", "4"),
        ("Google", "Pixel 7"),
        ("Xiaomi", "Redmi Note 12"),
    ],
    accessories: &["case", "cable", "SIM card"],
    parts: [
        ("DSP", "Display", 8_900),
        ("BAT", "Battery", 2_900),
        ("PRT", "Charging port", 1_900),
        ("CAM", "Rear camera", 3_900),
        ("SPK", "Loudspeaker", 1_200),
        ("BCK", "Back cover", 1_900),
        ("BTN", "Power button", 900),
        ("MIC", "Microphone", 900),
    ],
    presets: &[
        preset("Screen", "Screen replaced", 4_900, 45),
        preset("Battery", "Battery replaced", 2_900, 30),
        preset("Liquid", "Liquid damage: open, clean, test", 5_900, 60),
        preset("Charging", "Charging port replaced", 3_900, 45),
        preset("Camera", "Camera replaced", 3_900, 45),
        preset("Sound", "Loudspeaker or microphone replaced", 3_400, 40),
        preset("Data", "Data brought over", 4_900, 60),
    ],
    faults: &[
        ("Screen is cracked, touch works", 0, Some(0)),
        ("Display bleibt schwarz, vibriert noch", 0, Some(0)),
        ("Empty by noon, switches off at 30 %", 1, Some(1)),
        ("Fell into water, will not start", 2, None),
        ("Does not charge, the port is loose", 3, Some(2)),
        ("Camera is blurred", 4, Some(3)),
        ("L’écran reste noir", 0, Some(0)),
        ("Callers cannot hear me", 5, Some(7)),
        ("Wants photos on the new phone", 6, None),
    ],
};

const TABLET: Category = Category {
    name: "Tablet",
    models: &[
        ("Apple", "iPad 9"),
        ("Samsung", "Galaxy Tab A8"),
        ("Lenovo", "Tab M10"),
    ],
    accessories: &["case", "pen", "charger"],
    parts: [
        ("DSP", "Display", 7_900),
        ("BAT", "Battery", 3_900),
        ("PRT", "Charging port", 1_900),
        ("CAM", "Camera", 2_400),
        ("SPK", "Loudspeaker", 1_400),
        ("GLS", "Touch glass", 4_900),
        ("BTN", "Home button", 1_200),
        ("FLX", "Volume flex cable", 900),
    ],
    presets: &[
        preset("Screen", "Screen replaced", 5_900, 60),
        preset("Battery", "Battery replaced", 4_900, 60),
        preset("Charging", "Charging port replaced", 4_900, 60),
        preset("Slow", "Set up anew", 3_900, 45),
        preset("Data", "Data brought over", 4_900, 60),
    ],
    faults: &[
        ("Glass is broken, picture is fine", 0, Some(5)),
        ("Lines across the picture", 0, Some(0)),
        ("Runs empty overnight", 1, Some(1)),
        ("Akku lädt nicht mehr", 2, Some(2)),
        ("Hangs in every app", 3, None),
    ],
};

const DESKTOP: Category = Category {
    name: "Desktop computer",
    models: &[
        ("HP", "ProDesk 400"),
        ("Dell", "OptiPlex 7090"),
        ("Lenovo", "ThinkCentre M70"),
    ],
    accessories: &["power cable", "keyboard", "mouse"],
    parts: [
        ("PSU", "Power supply", 5_900),
        ("SSD", "Solid state drive 1 TB", 7_900),
        ("RAM", "Memory 16 GB", 4_900),
        ("FAN", "Processor fan", 2_400),
        ("GPU", "Graphics card", 14_900),
        ("NET", "Network card", 1_900),
        ("CEL", "Clock battery", 300),
        ("HDD", "Hard disk 2 TB", 5_900),
    ],
    presets: &[
        preset("No power", "Power supply replaced", 4_900, 45),
        preset("Slow", "Moved to a solid state drive", 6_900, 90),
        preset("Noise", "Cleaned inside, fan replaced", 3_900, 45),
        preset("Data", "Data brought over", 9_900, 120),
    ],
    faults: &[
        ("No sign of life at all", 0, Some(0)),
        ("Takes ten minutes to start", 1, Some(1)),
        ("Lüfter rattert", 2, Some(3)),
        ("Blue screen, files are needed", 3, None),
    ],
};

/// Makes of a part, the same part of a model at three prices: name and share of the price in percent.
const MAKES: [(&str, i64); 3] = [("original", 100), ("compatible", 60), ("refurbished", 45)];

/// A device on the counter.
pub(crate) struct Device {
    pub(crate) category: &'static str,
    pub(crate) brand: &'static str,
    pub(crate) model: &'static str,
    pub(crate) fault: &'static str,
    pub(crate) accessory: &'static str,
    /// What mending it costs, and how.
    pub(crate) preset: &'static Preset,
    /// Skus that mend it, the original first; refurbished ones are only sold.
    pub(crate) skus: Vec<String>,
}

/// One of the devices that people bring; phones and laptops most.
pub(crate) fn device(dice: &mut Dice) -> Device {
    const SHARE: [usize; 8] = [0, 0, 0, 1, 1, 1, 2, 3];
    let kind = SHARE[dice.below(SHARE.len() as u64) as usize];
    let category = &CATEGORIES[kind];
    let model = dice.below(category.models.len() as u64) as usize;
    let (brand, name) = category.models[model];
    let (fault, preset, part) = category.faults[dice.below(category.faults.len() as u64) as usize];
    let accessory = category.accessories[dice.below(category.accessories.len() as u64) as usize];
    let skus = part.map_or_else(Vec::new, |part| {
        (0..MAKES.len() - 1)
            .map(|make| sku(&Number::of(kind, model, part, make)))
            .collect()
    });
    Device {
        category: category.name,
        brand,
        model: name,
        fault,
        accessory,
        preset: &category.presets[preset],
        skus,
    }
}

/// Where a part stands among all: kind of device, its model, the part, its make.
struct Number {
    kind: usize,
    model: usize,
    part: usize,
    make: usize,
}

impl Number {
    const fn of(kind: usize, model: usize, part: usize, make: usize) -> Self {
        Self {
            kind,
            model,
            part,
            make,
        }
    }
}

/// "GEN" says that the part is generated.
fn sku(number: &Number) -> String {
    let (short, _, _) = CATEGORIES[number.kind].parts[number.part];
    let running = number.kind * 1_000 + number.model * 100 + number.part * 10 + number.make;
    format!("GEN-{short}-{:04}", running + 1_000)
}

/// A part of the catalogue.
pub(crate) struct Part {
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) category: &'static str,
    pub(crate) price_minor: i64,
}

/// The first `count` parts: every part of every model in one make, then in the next.
pub(crate) fn parts(count: usize) -> Vec<Part> {
    let makes = 0..MAKES.len();
    makes
        .flat_map(|make| (0..CATEGORIES.len()).map(move |kind| (make, kind)))
        .flat_map(|(make, kind)| {
            (0..CATEGORIES[kind].models.len()).map(move |model| (make, kind, model))
        })
        .flat_map(|(make, kind, model)| (0..8).map(move |part| Number::of(kind, model, part, make)))
        .take(count)
        .map(|number| {
            let category = &CATEGORIES[number.kind];
            let (brand, model) = category.models[number.model];
            let (_, name, price) = category.parts[number.part];
            let (make, percent) = MAKES[number.make];
            Part {
                sku: sku(&number),
                name: format!("{name}, {brand} {model}, {make}"),
                category: category.name,
                price_minor: price * percent / 100,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_part_has_a_sku_of_its_own_and_every_fault_a_preset() {
        let all = parts(super::super::fill::PARTS);
        let skus: BTreeSet<&str> = all.iter().map(|part| part.sku.as_str()).collect();
        assert_eq!(all.len(), super::super::fill::PARTS);
        assert_eq!(skus.len(), all.len());
        let mut dice = Dice::new(1);
        for _ in 0..500 {
            let device = device(&mut dice);
            assert!(!device.preset.service.is_empty());
            for sku in &device.skus {
                assert!(skus.contains(sku.as_str()), "{sku} is in the catalogue");
            }
        }
    }

    #[test]
    fn faults_name_presets_that_are_there() {
        for category in &CATEGORIES {
            for (fault, preset, part) in category.faults {
                assert!(*preset < category.presets.len(), "{fault}");
                assert!(
                    part.is_none_or(|part| part < category.parts.len()),
                    "{fault}"
                );
            }
        }
    }
}
