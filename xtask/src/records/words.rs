//! What generated records are made of: devices, brands and faults in four languages.
//!
//! Brands stand as people write them on an intake sheet; no sentence is taken from a real record.

/// The languages, in the order of every list of four below.
pub(super) const LANGUAGES: [Language; 4] = [
    Language {
        country: "GBR",
        towns: ["Leeds", "Bristol", "Norwich", "Cardiff", "Dundee"],
    },
    Language {
        country: "DEU",
        towns: ["Kassel", "Bremen", "Görlitz", "Münster", "Würzburg"],
    },
    Language {
        country: "FRA",
        towns: ["Nîmes", "Orléans", "Besançon", "Brest", "Pau"],
    },
    Language {
        country: "DNK",
        towns: ["Aarhus", "Køge", "Odense", "Ærøskøbing", "Ribe"],
    },
];

pub(super) struct Language {
    pub(super) country: &'static str,
    pub(super) towns: [&'static str; 5],
}

pub(super) struct Kind {
    pub(super) category: &'static str,
    pub(super) category_id: &'static str,
    /// The provider's own name per language.
    pub(super) partner: [&'static str; 4],
    pub(super) brands: &'static [&'static str],
    /// Faults per language.
    pub(super) faults: &'static [[&'static str; 8]; 4],
}

/// Kinds of device with their share in 100.
pub(super) const KINDS: [(u64, Kind); 5] = [
    (
        38,
        Kind {
            category: "Mobile",
            category_id: "19",
            partner: [
                "Smartphone",
                "Smartphone",
                "Téléphone portable",
                "Mobiltelefon",
            ],
            brands: &[
                "Apple",
                "Samsung",
                "Huawei",
                "Xiaomi",
                "Google",
                "Nokia",
                "Fairphone",
                "Unknown",
            ],
            faults: &HANDHELD,
        },
    ),
    (
        14,
        Kind {
            category: "Tablet",
            category_id: "30",
            partner: ["Tablet", "Tablet", "Tablette", "Tablet"],
            brands: &["Apple", "Samsung", "Lenovo", "Amazon", "Unknown"],
            faults: &HANDHELD,
        },
    ),
    (
        33,
        Kind {
            category: "Laptop",
            category_id: "16",
            partner: [
                "Laptop",
                "Notebook",
                "Ordinateur portable",
                "Bærbar computer",
            ],
            brands: &[
                "Lenovo", "HP", "Dell", "Asus", "Acer", "Apple", "Toshiba", "Unknown",
            ],
            faults: &COMPUTER,
        },
    ),
    (
        10,
        Kind {
            category: "Desktop computer",
            category_id: "4",
            partner: [
                "Desktop computer",
                "Tischrechner",
                "Ordinateur fixe",
                "Stationær computer",
            ],
            brands: &["HP", "Dell", "Medion", "Lenovo", "Unknown"],
            faults: &COMPUTER,
        },
    ),
    (
        5,
        Kind {
            category: "Games console",
            category_id: "38",
            partner: [
                "Games console",
                "Spielkonsole",
                "Console de jeux",
                "Spillekonsol",
            ],
            brands: &["Nintendo", "Sony", "Microsoft"],
            faults: &CONSOLE,
        },
    ),
];

const HANDHELD: [[&str; 8]; 4] = [
    [
        "Screen cracked, touch still works",
        "Battery empty after two hours",
        "Does not charge, plug sits loose",
        "No sound from the earpiece",
        "Camera picture is blurred",
        "Restarts by itself, several times a day",
        "Fell into water, does not start",
        "Asks for a \"SIM unlock code\" that nobody knows",
    ],
    [
        "Display gesprungen, Touch geht noch",
        "Akku nach zwei Stunden leer",
        "Lädt nicht mehr, Buchse wackelt",
        "Kein Ton aus der Hörmuschel",
        "Kamerabild unscharf",
        "Startet mehrmals täglich von selbst neu",
        "Ins Wasser gefallen, geht nicht mehr an",
        "Meldet „Speicher voll“, obwohl alles gelöscht ist",
    ],
    [
        "Écran fissuré, le tactile répond encore",
        "Batterie vide après deux heures",
        "Ne charge plus, la prise a du jeu",
        "Aucun son dans l'écouteur",
        "L'appareil photo est flou",
        "Redémarre tout seul plusieurs fois par jour",
        "Tombé dans l'eau, ne s'allume plus",
        "Affiche « mémoire pleine » alors que tout est effacé",
    ],
    [
        "Skærmen er revnet, men reagerer stadig",
        "Batteriet er tomt efter to timer",
        "Lader ikke, stikket sidder løst",
        "Ingen lyd i højttaleren",
        "Kameraet er uskarpt",
        "Genstarter af sig selv flere gange om dagen",
        "Har ligget i vand, tænder ikke",
        "Beder om en \"oplåsningskode\", som ingen kender",
    ],
];

const COMPUTER: [[&str; 8]; 4] = [
    [
        "Does not start, no light at all",
        "Very slow since the last update",
        "Fan is loud and the case gets hot",
        "Some keys do nothing: e, r, space",
        "Hinge broken, cable torn",
        "Screen stays black, external monitor works",
        "Hard disk clicks, files may be lost",
        "Stops with \"no bootable device\"",
    ],
    [
        "Startet nicht, keine Leuchte",
        "Sehr langsam seit der letzten Aktualisierung",
        "Lüfter laut, Gehäuse wird heiß",
        "Einige Tasten tot: e, r, Leertaste",
        "Scharnier gebrochen, Kabel abgerissen",
        "Bildschirm schwarz, externer Monitor geht",
        "Festplatte klackert, Daten in Gefahr",
        "Bleibt stehen mit \"no bootable device\"",
    ],
    [
        "Ne démarre pas, aucun voyant",
        "Très lent depuis la dernière mise à jour",
        "Ventilateur bruyant, le boîtier chauffe",
        "Touches mortes : e, r, espace",
        "Charnière cassée, câble arraché",
        "Écran noir, l'écran externe fonctionne",
        "Le disque dur claque, fichiers en danger",
        "S'arrête sur \"no bootable device\"",
    ],
    [
        "Starter ikke, ingen lys",
        "Meget langsom efter sidste opdatering",
        "Blæseren larmer, og kabinettet bliver varmt",
        "Nogle taster virker ikke: e, r, mellemrum",
        "Hængslet er knækket, kablet revet over",
        "Skærmen er sort, ekstern skærm virker",
        "Harddisken klikker, filer i fare",
        "Stopper med \"no bootable device\"",
    ],
];

const CONSOLE: [[&str; 8]; 4] = [
    [
        "Does not read discs",
        "Left stick drifts",
        "Overheats and switches off",
        "No picture on the television",
        "Controller does not connect",
        "Card slot bent",
        "Power button stuck",
        "Update stops at 60 %",
    ],
    [
        "Liest keine Discs",
        "Linker Stick driftet",
        "Überhitzt und schaltet ab",
        "Kein Bild am Fernseher",
        "Controller verbindet sich nicht",
        "Kartenschacht verbogen",
        "Einschaltknopf klemmt",
        "Aktualisierung bleibt bei 60 % stehen",
    ],
    [
        "Ne lit plus les disques",
        "Le stick gauche dérive",
        "Surchauffe et s'éteint",
        "Pas d'image sur le téléviseur",
        "La manette ne se connecte pas",
        "Lecteur de cartes tordu",
        "Bouton de mise en marche bloqué",
        "La mise à jour s'arrête à 60 %",
    ],
    [
        "Læser ikke skiver",
        "Venstre stik driver",
        "Bliver for varm og slukker",
        "Intet billede på fjernsynet",
        "Controlleren forbinder ikke",
        "Kortholderen er bøjet",
        "Tændknappen sidder fast",
        "Opdateringen stopper ved 60 %",
    ],
];

/// What may follow a fault; the line break inside the last is meant.
pub(super) const CIRCUMSTANCES: [[&str; 4]; 4] = [
    [
        "since Monday",
        "after a fall",
        "charger tried, no change",
        "seen by another shop\nno quote given",
    ],
    [
        "seit Montag",
        "nach einem Sturz",
        "anderes Netzteil probiert",
        "war schon in einer Werkstatt\nohne Angebot",
    ],
    [
        "depuis lundi",
        "après une chute",
        "autre chargeur essayé",
        "déjà vu par un atelier\nsans devis",
    ],
    [
        "siden mandag",
        "efter et fald",
        "anden oplader prøvet",
        "har været på et andet værksted\nuden tilbud",
    ],
];

pub(super) const BARRIERS: [&str; 6] = [
    "Spare parts not available",
    "Spare parts too expensive",
    "No way to open product",
    "Repair information not available",
    "Lack of equipment",
    "Item too worn out",
];
