/**
 * Webhooks: what is recorded about a fleet is sent to addresses of its operators, by Standard Webhooks. An
 * {@link io.muster.webhook.Outbox} takes events in the transaction that records them; a {@link io.muster.webhook.Deliverer}
 * sends them. Start with {@link io.muster.webhook.Webhooks}.
 */
package io.muster.webhook;
