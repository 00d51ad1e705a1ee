// Drives the double of Stripe with Stripe's own SDK; prints what was done as JSON, or fails by an assertion.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import Stripe from "stripe";

const base = new URL(process.argv[2]);
const options = { host: base.hostname, port: base.port, protocol: "http", maxNetworkRetries: 0, telemetry: false };
const stripe = new Stripe("sk_test_counterpart", options);
const done = [];
const control = async (path, body = {}) => {
  const answer = await fetch(new URL(`/_fake/${path}`, base), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`);
  return answer.json();
};
const fails = async (call, kind, expected) => {
  const error = await call.then(() => assert.fail(`no ${kind}`), (error) => error);
  assert.ok(error instanceof Stripe.errors[kind], `${error.constructor.name} instead of ${kind}: ${error.message}`);
  for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, `${kind}.${name}`);
  done.push(kind);
};

// Webhooks are collected from here on; the SDK checks each signature.
const hooks = [];
const receiver = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    hooks.push({ body: Buffer.concat(parts), header: request.headers["stripe-signature"] });
    response.end();
  });
});
await new Promise((ready) => receiver.listen(0, "127.0.0.1", ready));
await control("webhooks", { url: `http://127.0.0.1:${receiver.address().port}/` });

// Price and link, with nested parameters as the SDK encodes them.
const metadata = { counterpart_payment: "0b2a1f0e-6f0e-4f4e-9d3e-0123456789ab", counterpart_branch: "ü & =[x]" };
const price = await stripe.prices.create({ currency: "eur", unit_amount: 4900, product_data: { name: "BER-R-A000001" } });
assert.equal(price.unit_amount, 4900);
done.push("price");
const link = await stripe.paymentLinks.create({
  line_items: [{ price: price.id, quantity: 1 }],
  metadata,
  payment_intent_data: { metadata },
  restrictions: { completed_sessions: { limit: 1 } },
});
assert.equal(link.active, true);
assert.equal(link.metadata.counterpart_branch, "ü & =[x]");
done.push("link");
await control(`links/${link.id}/pay`);
assert.equal((await stripe.paymentLinks.retrieve(link.id)).active, false);
const sessions = await stripe.checkout.sessions.list({ payment_link: link.id, expand: ["data.payment_intent"] });
assert.equal(sessions.data[0].payment_intent.status, "succeeded");
assert.equal(sessions.data[0].payment_status, "paid");
done.push("session");

// Search and list.
const query = `metadata['counterpart_payment']:'${metadata.counterpart_payment}'`;
const found = await stripe.paymentIntents.search({ query });
assert.deepEqual(found.data.map((intent) => intent.id), [sessions.data[0].payment_intent.id]);
done.push("search");

// An intent by a test card, captured later.
const intent = await stripe.paymentIntents.create(
  { amount: 12000, currency: "eur", capture_method: "manual", payment_method_types: ["card"],
    payment_method: "pm_card_visa", confirm: true, metadata },
  { idempotencyKey: "key-1" },
);
assert.equal(intent.status, "requires_capture");
assert.equal(intent.amount_capturable, 12000);
const again = await stripe.paymentIntents.create(
  { amount: 12000, currency: "eur", capture_method: "manual", payment_method_types: ["card"],
    payment_method: "pm_card_visa", confirm: true, metadata },
  { idempotencyKey: "key-1" },
);
assert.equal(again.id, intent.id);
assert.equal(again.lastResponse.headers["idempotent-replayed"], "true");
assert.equal(intent.lastResponse.headers["idempotent-replayed"], undefined);
done.push("replay");
const captured = await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 11000 }, {});
assert.equal(captured.status, "succeeded");
assert.equal(captured.amount_received, 11000);
done.push("capture");
const whole = await stripe.paymentIntents.retrieve(intent.id, { expand: ["latest_charge.balance_transaction"] });
assert.equal(whole.latest_charge.balance_transaction.net, 11000 - 154 - 25);
done.push("expand");
const other = await stripe.paymentIntents.create({ amount: 500, currency: "eur", payment_method_types: ["card"] });
assert.equal((await stripe.paymentIntents.cancel(other.id)).status, "canceled");
done.push("cancel");

// The reader on the counter.
const reader = await stripe.terminal.readers.create({ registration_code: "simulated-wpe", label: "till 1" });
const present = await stripe.paymentIntents.create({
  amount: 700, currency: "eur", payment_method_types: ["card_present"], capture_method: "manual",
});
const busy = await stripe.terminal.readers.processPaymentIntent(reader.id, { payment_intent: present.id });
assert.equal(busy.action.status, "in_progress");
await stripe.testHelpers.terminal.readers.presentPaymentMethod(reader.id);
assert.equal((await stripe.paymentIntents.retrieve(present.id)).status, "requires_capture");
assert.equal((await stripe.terminal.readers.cancelAction(reader.id)).action, null);
done.push("reader");

// Refunds.
const refund = await stripe.refunds.create({ payment_intent: intent.id, amount: 1000, metadata }, { idempotencyKey: "key-2" });
assert.equal(refund.status, "succeeded");
const refunds = await stripe.refunds.list({ payment_intent: intent.id });
assert.deepEqual(refunds.data.map((one) => one.id), [refund.id]);
done.push("refund");

// Balance and payouts; the SDK pages by itself.
const lines = [];
for await (const line of stripe.balanceTransactions.list({ limit: 2, expand: ["data.source"] })) lines.push(line);
assert.deepEqual(lines.map((line) => line.type), ["refund", "charge", "charge"]);
assert.equal(lines[0].source.object, "refund");
assert.equal(lines[2].source.metadata.counterpart_payment, metadata.counterpart_payment);
done.push("balance");
const net = lines.reduce((sum, line) => sum + line.net, 0);
assert.equal((await stripe.balance.retrieve()).available[0].amount, net);
await control("payouts", { short_by: 30 });
const payouts = await stripe.payouts.list({ status: "paid", created: { gte: 1 } });
assert.equal(payouts.data[0].amount, net - 30);
const parts = await stripe.balanceTransactions.list({ payout: payouts.data[0].id, limit: 100 });
assert.deepEqual(parts.data.map((line) => line.type), ["payout", "refund", "charge", "charge"]);
done.push("payout");

// Errors come as the SDK's own classes.
await fails(stripe.paymentIntents.retrieve("pi_none"), "StripeInvalidRequestError", { code: "resource_missing", statusCode: 404 });
await fails(stripe.paymentIntents.create({ currency: "eur" }), "StripeInvalidRequestError", { code: "parameter_missing", param: "amount" });
await fails(stripe.paymentIntents.create({ amount: 500, currency: "eur", colour: "red" }), "StripeInvalidRequestError", { code: "parameter_unknown" });
await fails(stripe.paymentIntents.capture(intent.id), "StripeInvalidRequestError", { code: "payment_intent_unexpected_state" });
await fails(
  stripe.paymentIntents.create({ amount: 12001, currency: "eur" }, { idempotencyKey: "key-1" }),
  "StripeIdempotencyError", { statusCode: 400, rawType: "idempotency_error" },
);
await fails(
  stripe.paymentIntents.create({ amount: 900, currency: "eur", payment_method_types: ["card"],
    payment_method: "pm_card_visa_chargeDeclined", confirm: true }),
  "StripeCardError", { code: "card_declined", decline_code: "generic_decline" },
);
await fails(new Stripe("sk_test_wrong", options).balance.retrieve(), "StripeAuthenticationError", { statusCode: 401 });
await control("faults", { path: "/v1/refunds", fault: "rate_limited", retry_after_s: 3 });
await fails(stripe.refunds.list(), "StripeRateLimitError", { statusCode: 429 });
await control("faults", { path: "/v1/refunds", fault: "error_500" });
await fails(stripe.refunds.list(), "StripeAPIError", { statusCode: 500 });
// A connection that breaks the SDK tries once more by itself.
await control("faults", { path: "/v1/refunds", fault: "broken", times: 2 });
await fails(stripe.refunds.list(), "StripeConnectionError", {});
await control("faults", { path: "/v1/refunds", fault: "timeout_before" });
await fails(stripe.refunds.list({}, { timeout: 300 }), "StripeConnectionError", {});

// The SDK's own retry goes through a conflict.
await control("faults", { path: "/v1/payment_intents", fault: "conflict" });
const patient = new Stripe("sk_test_counterpart", { ...options, maxNetworkRetries: 2 });
assert.equal((await patient.paymentIntents.create({ amount: 800, currency: "eur" })).amount, 800);
done.push("retry");

// Webhooks.
while (!hooks.some(({ body }) => body.includes('"payout.paid"'))) await new Promise((soon) => setTimeout(soon, 20));
for (const { body, header } of hooks) {
  const event = stripe.webhooks.constructEvent(body, header, "whsec_counterpart");
  assert.equal(event.object, "event");
  assert.throws(() => stripe.webhooks.constructEvent(body, header, "whsec_wrong"), Stripe.errors.StripeSignatureVerificationError);
}
const first = JSON.parse(hooks[0].body);
assert.equal((await stripe.events.retrieve(first.id)).type, first.type);
done.push("webhooks");

receiver.close();
receiver.closeAllConnections();
console.log(JSON.stringify({ done, version: Stripe.API_VERSION ?? stripe.getApiField("version") }));
process.exit(0);
