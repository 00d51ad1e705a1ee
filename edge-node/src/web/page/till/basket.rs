//! The basket of the till: all of it stands in the page's address, so that a refresh, a second tab and the back button
//! show the same. Personal values are never in it.

use domain::id::DocumentId;
use domain::money::Currency;
use serde::Deserialize;
use web_kit::wire::money;

use crate::app::till::{SaleInput, SaleOrder, SalePart, TenderInput};
use crate::web::TILL;
use crate::web::page::orders::encoded;

/// Most pieces of a line that the buttons count to.
const MOST: i64 = 1_000_000;

/// The basket as an address or a form says it; amounts paid ahead in minor units.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct BasketFields {
    #[serde(default)]
    pub(super) customer: Vec<String>,
    #[serde(default)]
    pub(super) claim: Vec<String>,
    #[serde(default)]
    pub(super) order: Vec<String>,
    #[serde(default)]
    pub(super) deposit: Vec<String>,
    #[serde(default)]
    pub(super) ahead: Vec<String>,
    #[serde(default)]
    pub(super) part: Vec<String>,
    #[serde(default)]
    pub(super) n: Vec<String>,
}

/// What is in the basket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Basket {
    /// For whom, where no order says it.
    pub(super) customer: Option<DocumentId>,
    /// What that customer pays of what is owed on account, in minor units; 0 where nobody said yet how much.
    pub(super) claim: Option<i64>,
    /// Orders that are handed over.
    pub(super) orders: Vec<DocumentId>,
    /// Orders that are paid ahead, with how much in minor units.
    pub(super) deposits: Vec<(DocumentId, i64)>,
    /// Skus with pieces; 0 where no number was typed.
    pub(super) parts: Vec<(String, i64)>,
}

impl BasketFields {
    /// Reads the fields; `amount` reads what is paid ahead. What names nothing is left out.
    pub(super) fn read(&self, amount: impl Fn(&str) -> Option<i64>) -> Basket {
        let mut basket = Basket {
            customer: self.customer.iter().find_map(|text| text.parse().ok()),
            ..Basket::default()
        };
        if basket.customer.is_some() {
            let typed = self.claim.first();
            basket.claim = typed.map(|text| amount(text).filter(|minor| *minor > 0).unwrap_or(0));
        }
        for id in self.order.iter().filter_map(|text| text.parse().ok()) {
            basket.put_order(id);
        }
        for (at, text) in self.deposit.iter().enumerate() {
            let ahead = self.ahead.get(at).map_or("", String::as_str);
            if let Ok(id) = text.parse() {
                basket.put_deposit(id, amount(ahead).filter(|minor| *minor > 0).unwrap_or(0));
            }
        }
        for (at, sku) in self.part.iter().enumerate() {
            let pieces = self.n.get(at).map_or(Some(1), |n| n.trim().parse().ok());
            let pieces = pieces.filter(|n| (1..=MOST).contains(n)).unwrap_or(0);
            let sku = sku.trim();
            if !sku.is_empty() && !basket.parts.iter().any(|(known, _)| known == sku) {
                basket.parts.push((sku.to_owned(), pieces));
            }
        }
        basket
    }
}

/// What is paid ahead as an address has it.
pub(super) fn minor(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

impl Basket {
    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.orders.is_empty()
            && self.deposits.is_empty()
            && self.parts.is_empty()
            && self.claim.is_none()
    }

    /// For whom it is; what is owed on account is paid where nothing else is in it.
    pub(super) fn put_customer(&mut self, id: DocumentId, owed_minor: i64) {
        let was_empty = self.is_empty();
        self.customer = Some(id);
        self.claim = (was_empty && owed_minor > 0).then_some(owed_minor);
    }

    /// An order to hand over; one that was there to be paid ahead is not any more.
    pub(super) fn put_order(&mut self, id: DocumentId) {
        self.deposits.retain(|(known, _)| *known != id);
        if !self.orders.contains(&id) {
            self.orders.push(id);
        }
    }

    /// An order to pay ahead.
    pub(super) fn put_deposit(&mut self, id: DocumentId, ahead_minor: i64) {
        self.orders.retain(|known| *known != id);
        self.deposits.retain(|(known, _)| *known != id);
        self.deposits.push((id, ahead_minor));
    }

    /// One piece more of a part.
    pub(super) fn put_part(&mut self, sku: &str) {
        match self.parts.iter_mut().find(|(known, _)| known == sku) {
            Some((_, pieces)) => *pieces = (*pieces + 1).min(MOST),
            None => self.parts.push((sku.to_owned(), 1)),
        }
    }

    /// Does what a button of the basket says; whether it was one of them.
    pub(super) fn act(&mut self, action: &str) -> bool {
        let order = |text: &str| text.parse::<DocumentId>().ok();
        if action == "out-customer" {
            (self.customer, self.claim) = (None, None);
        } else if action == "out-claim" {
            self.claim = None;
        } else if let Some(owed) = action.strip_prefix("claim-").and_then(minor) {
            self.claim = self.customer.map(|_| owed.max(0));
        } else if let Some(id) = action.strip_prefix("out-").and_then(order) {
            self.orders.retain(|known| *known != id);
            self.deposits.retain(|(known, _)| *known != id);
        } else if let Some(id) = action.strip_prefix("ahead-").and_then(order) {
            self.put_deposit(id, 0);
        } else if let Some(id) = action.strip_prefix("order-").and_then(order) {
            self.put_order(id);
        } else if let Some(sku) = action.strip_prefix("remove-") {
            self.parts.retain(|(known, _)| known != sku);
        } else if let Some(sku) = action.strip_prefix("more-") {
            self.put_part(sku);
        } else if let Some(sku) = action.strip_prefix("less-") {
            if let Some((_, pieces)) = self.parts.iter_mut().find(|(known, _)| known == sku) {
                *pieces = (*pieces - 1).max(1);
            }
        } else {
            return false;
        }
        true
    }

    /// The fields that say it, amounts in minor units.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields: Vec<(&'static str, String)> = Vec::new();
        if let Some(id) = &self.customer {
            fields.push(("customer", id.to_string()));
        }
        if let Some(claim) = self.claim {
            fields.push(("claim", claim.to_string()));
        }
        for id in &self.orders {
            fields.push(("order", id.to_string()));
        }
        for (id, ahead) in &self.deposits {
            fields.push(("deposit", id.to_string()));
            fields.push(("ahead", ahead.to_string()));
        }
        for (sku, pieces) in &self.parts {
            fields.push(("part", sku.clone()));
            fields.push(("n", pieces.to_string()));
        }
        fields
    }

    /// The page's address with this basket.
    pub(super) fn address(&self) -> String {
        let fields: Vec<String> = self
            .fields()
            .into_iter()
            .map(|(name, value)| format!("{name}={}", encoded(&value)))
            .collect();
        match fields.is_empty() {
            true => TILL.to_owned(),
            false => format!("{TILL}?{}", fields.join("&")),
        }
    }

    /// The basket of a sale that was put aside.
    pub(super) fn of(sale: &SaleInput) -> Self {
        let mut basket = Self {
            customer: sale.customer_id,
            claim: sale.claim.map(|claim| claim.amount_minor),
            ..Self::default()
        };
        for order in &sale.orders {
            match order.deposit {
                None => basket.put_order(order.order_id),
                Some(ahead) => basket.put_deposit(order.order_id, ahead.amount_minor),
            }
        }
        let parts = sale.parts.iter();
        basket.parts = parts.map(|one| (one.sku.clone(), one.quantity)).collect();
        basket
    }

    /// The sale of this basket.
    pub(super) fn sale(&self, currency: Currency, tenders: Vec<TenderInput>) -> SaleInput {
        let handed_over = self.orders.iter().map(|id| SaleOrder {
            order_id: *id,
            deposit: None,
        });
        let ahead = self.deposits.iter().map(|(id, ahead)| SaleOrder {
            order_id: *id,
            deposit: Some(money(*ahead, currency)),
        });
        SaleInput {
            customer_id: self.customer,
            claim: self.claim.map(|claim| money(claim, currency)),
            orders: handed_over.chain(ahead).collect(),
            parts: self
                .parts
                .iter()
                .map(|(sku, quantity)| SalePart {
                    sku: sku.clone(),
                    quantity: *quantity,
                })
                .collect(),
            tenders,
            ..SaleInput::default()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const ID: &str = "0b3f0e6a-0000-4000-8000-000000000001";

    fn basket() -> Basket {
        let fields = BasketFields {
            order: vec![ID.to_owned(), ID.to_owned(), "none".to_owned()],
            part: vec!["A/1".to_owned(), "B".to_owned(), "B".to_owned()],
            n: vec!["2".to_owned(), "x".to_owned()],
            ..BasketFields::default()
        };
        fields.read(minor)
    }

    #[test]
    fn the_address_says_the_basket_and_each_thing_once() {
        let basket = basket();
        assert_eq!(
            basket.address(),
            format!("/till?order={ID}&part=A%2F1&n=2&part=B&n=0")
        );
        assert_eq!(Basket::default().address(), "/till");
    }

    #[test]
    fn an_order_is_handed_over_or_paid_ahead_and_never_both() {
        let mut basket = basket();
        assert!(basket.act(&format!("ahead-{ID}")));
        assert!(basket.orders.is_empty());
        assert_eq!(basket.deposits.len(), 1);
        assert!(basket.act(&format!("order-{ID}")));
        assert!(basket.deposits.is_empty());
        assert!(basket.act(&format!("out-{ID}")) && basket.orders.is_empty());
        assert!(!basket.act("add"));
    }

    #[test]
    fn what_is_owed_belongs_to_somebody_and_goes_with_them() {
        let mut basket = Basket::default();
        assert!(basket.act("claim-500") && basket.claim.is_none());
        basket.put_customer(ID.parse().unwrap(), 900);
        assert_eq!(basket.address(), format!("/till?customer={ID}&claim=900"));
        let back = Basket::of(&basket.sale(Currency::EUR, Vec::new()));
        assert_eq!(back, basket);
        assert!(basket.act("out-customer") && basket == Basket::default());
    }

    #[test]
    fn a_basket_that_was_put_aside_is_the_same() {
        let mut basket = basket();
        basket.act(&format!("ahead-{ID}"));
        let back = Basket::of(&basket.sale(Currency::EUR, Vec::new()));
        assert_eq!(back, basket);
    }

    #[test]
    fn pieces_are_counted_from_one() {
        let mut basket = basket();
        basket.act("less-A/1");
        basket.act("less-A/1");
        basket.act("more-B");
        assert_eq!(basket.parts, [("A/1".to_owned(), 1), ("B".to_owned(), 1)]);
        basket.act("remove-A/1");
        assert_eq!(basket.parts.len(), 1);
    }
}
