/**
 * Webhooks: events of a fleet are sent to addresses of its operators, by Standard Webhooks. An
 * {@link io.muster.webhook.Outbox} takes events in the transaction that records them; a {@link io.muster.webhook.Deliverer}
 * sends the messages. Start with {@link io.muster.webhook.Webhooks}.
 */
package io.muster.webhook;
