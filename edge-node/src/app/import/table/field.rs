//! What a table may say, and by which names programs call it.

/// What kind of table it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Persons.
    Customers,
    /// Pieces on the shelves.
    Stock,
    /// Orders that have not ended.
    Orders,
}

impl Kind {
    /// Every kind, in the order in which a shop brings them: orders name customers.
    pub const ALL: [Self; 3] = [Self::Customers, Self::Stock, Self::Orders];

    /// The name in addresses and identities.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Stock => "stock",
            Self::Orders => "orders",
        }
    }

    /// The kind of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What such a table may say.
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Customers => &[
                Field::CustomerId,
                Field::GivenName,
                Field::Name,
                Field::Phone,
                Field::Email,
                Field::Address,
                Field::Postcode,
                Field::City,
                Field::Language,
                Field::Note,
            ],
            Self::Stock => &[Field::Sku, Field::Quantity, Field::Bin, Field::ReorderPoint],
            Self::Orders => &[
                Field::OrderId,
                Field::TakenIn,
                Field::CustomerId,
                Field::Name,
                Field::Phone,
                Field::Email,
                Field::Category,
                Field::Brand,
                Field::Model,
                Field::Serial,
                Field::Fault,
                Field::Accessories,
                Field::Status,
                Field::Promised,
                Field::Urgent,
                Field::Note,
            ],
        }
    }

    /// Whether no row can be without it.
    pub const fn requires(self, field: Field) -> bool {
        matches!(
            (self, field),
            (Self::Customers, Field::Name)
                | (Self::Stock, Field::Sku | Field::Quantity)
                | (Self::Orders, Field::OrderId)
        )
    }
}

macro_rules! fields {
    ($($(#[$meta:meta])* $field:ident $name:literal $aliases:literal;)+) => {
        /// What a column may mean.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Field { $($(#[$meta])* $field),+ }

        impl Field {
            /// The name in requests and messages.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$field => $name),+ }
            }

            /// The field of this name.
            pub fn of_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$field),)+ _ => None }
            }

            /// How programs call it, as [`plain`] writes names.
            const fn aliases(self) -> &'static str {
                match self { $(Self::$field => $aliases),+ }
            }
        }
    };
}

fields! {
    /// The customer's number in the old program.
    CustomerId "customer_id" "customer customerid customerno customernumber custid kundennummer kundennr kdnr kundenid id nr number no";
    /// First name.
    GivenName "given_name" "givenname firstname forename vorname";
    /// Name, or the last name where the first stands apart.
    Name "name" "name fullname customername lastname surname familyname kunde kundenname nachname familienname";
    /// Phone.
    Phone "phone" "phone phonenumber telephone tel mobile cell telefon telefonnummer telefonnr rufnummer mobil handy";
    /// E-mail.
    Email "email" "email emailaddress mail emailadresse";
    /// Street and number, or the whole address.
    Address "address" "address street streetaddress adresse anschrift strasse straße";
    /// Postcode.
    Postcode "postcode" "postcode postalcode zip zipcode plz postleitzahl";
    /// Town.
    City "city" "city town ort stadt wohnort";
    /// The language to write in.
    Language "language" "language lang sprache";
    /// Remark.
    Note "note" "note notes remark remarks comment comments notiz notizen bemerkung bemerkungen kommentar";
    /// The part.
    Sku "sku" "sku partnumber partno part item itemnumber itemno articlenumber artikelnummer artikelnr artnr teilenummer teilenr";
    /// Pieces.
    Quantity "quantity" "quantity qty onhand stock count pieces menge anzahl bestand lagerbestand stück stueck";
    /// Where it lies.
    Bin "bin" "bin shelf location storagelocation lagerplatz lagerort fach platz regal";
    /// At how many to order more.
    ReorderPoint "reorder_point" "reorderpoint reorderat reorderlevel minimum min minstock mindestbestand meldebestand";
    /// The order's number in the old program.
    OrderId "order_id" "orderid order orderno ordernumber ticket ticketno ticketnumber jobno jobnumber number no nr id auftrag auftragsnummer auftragsnr auftragnr";
    /// When it was taken in.
    TakenIn "taken_in" "takenin received receivedat receivedon date created createdat datein intake angenommen annahme annahmedatum eingang eingangsdatum datum";
    /// What kind of device.
    Category "category" "category device devicetype type kind art geräteart geraeteart gerät geraet kategorie";
    /// Who made it.
    Brand "brand" "brand make manufacturer marke hersteller";
    /// Which model.
    Model "model" "model modell typ";
    /// Serial number.
    Serial "serial" "serial serialnumber serialno sn imei seriennummer seriennr";
    /// What is wrong.
    Fault "fault" "fault problem issue description defect faultdescription fehler fehlerbeschreibung defekt beschreibung mangel";
    /// What came with it.
    Accessories "accessories" "accessories leftwithus zubehör zubehoer dagelassen";
    /// Where it stands.
    Status "status" "status state stand auftragsstatus";
    /// When it is promised.
    Promised "promised" "promised promisedat due duedate duedat deadline zugesagt termin fällig faellig fertigbis";
    /// Whether it goes first.
    Urgent "urgent" "urgent priority express eilig dringend eilauftrag";
}

impl Field {
    /// Whether programs call it so; the earlier in the list, the surer.
    pub(super) fn rank(self, column: &str) -> Option<usize> {
        let column = plain(column);
        self.aliases().split(' ').position(|alias| alias == column)
    }
}

/// A column's name without what programs write differently.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
