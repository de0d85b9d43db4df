// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import static io.muster.command.Order.file;
import static io.muster.command.Order.list;
import static io.muster.command.Order.object;

import io.muster.command.Input.Form;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The table of the commands that are one request each. The help, the completion and the reference page are made from it, and
 * a test compares it with the OpenAPI document.
 */
final class Orders {

    /** The groups of commands, in the order of the help. */
    static final Map<String, String> GROUPS = new LinkedHashMap<>();

    private static final String FLEET = "/api/v1/fleets/{fleet}";
    private static final String DEVICE = "/api/v1/devices/{id}";
    private static final String FILTER = "A filter, such as: lot eq \"2026-11\" and state ne \"active\"";
    private static final String CSV = "text/csv";
    private static final String LINES = "application/x-ndjson";
    private static final String EVENTS = "at type fleet serial deviceId who detail";
    private static final String REVOCATION = "id lot issuedAt notBefore notAfter reason operator";

    static {
        GROUPS.put("fleets", "Fleets and their documents.");
        GROUPS.put("serials", "The list of serials that may register or must not.");
        GROUPS.put("imports", "Imports that were not jobs.");
        GROUPS.put("lots", "Lots of serials.");
        GROUPS.put("devices", "Devices: search, change, disable, delete.");
        GROUPS.put("approvals", "Candidates that wait for an operator.");
        GROUPS.put("claims", "Codes with which users claim devices.");
        GROUPS.put("allowances", "Leave to register once more.");
        GROUPS.put("revocations", "Orders that revoke credentials of a lot or a fleet.");
        GROUPS.put("rotations", "Orders to renew credentials of a lot or a fleet.");
        GROUPS.put("enrolment-keys", "Keys of the verifier hmac.");
        GROUPS.put("jobs", "Work on many devices or serials.");
        GROUPS.put("events", "What happened.");
        GROUPS.put("webhooks", "Receivers of events.");
        GROUPS.put("operators", "Operators, their grants and tokens.");
        GROUPS.put("signing-keys", "Keys that sign access tokens.");
        GROUPS.put("audit", "The sealed record of decisions.");
    }

    private Orders() {}

    static List<Order> all() {
        return List.of(
                // fleets
                list(
                                "fleets list",
                                "Lists the fleets that you may see.",
                                "/api/v1/fleets",
                                "fleets",
                                "name verifiers required registerAgain archived")
                        .whole()
                        .query("archived", "true lists archived fleets too."),
                object("fleets show", "Shows a fleet.", "GET " + FLEET),
                object("fleets create", "Creates a fleet.", "PUT " + FLEET)
                        .document()
                        .creates(),
                object("fleets update", "Changes members of a fleet's document. The others stay.", "PUT " + FLEET)
                        .keeps("*")
                        .document(),
                object("fleets replace", "Replaces the document of a fleet.", "PUT " + FLEET)
                        .keeps()
                        .document(),
                object("fleets archive", "Archives a fleet: nothing registers in it.", "PUT " + FLEET)
                        .keeps("*")
                        .constant("archived", true)
                        .danger("archive the fleet"),
                object("fleets restore", "Takes a fleet out of the archive.", "PUT " + FLEET)
                        .keeps("*")
                        .constant("archived", false),
                object(
                                "explain",
                                "Says what would happen to a serial that registers, and why.",
                                "POST " + FLEET + "/explain")
                        .arguments("serial", Form.TEXT, "SERIAL", true, "The serial.")
                        .option("evidence", Form.TEXTS, "NAME=TEXT", "Evidence of the device. May be repeated.")
                        .text("binding", "The thumbprint of the device's key."),
                object(
                                "registration-token",
                                "Makes a token that a device registers with.",
                                "POST " + FLEET + "/registration-tokens")
                        .text("serial", "The device that it is for.")
                        .text("verifier", "The verifier that signs, if several can.")
                        .text("expiresIn", "How long it is good, such as PT1H.")
                        .text("url", "An address for the claim url.")
                        .secret("token"),

                // serials
                list(
                                "serials list",
                                "Lists serials.",
                                FLEET + "/serials",
                                "serials",
                                "serial state lot name deviceId reason")
                        .query("state", "expected, registered or blocked.")
                        .query("lot", "Only this lot.")
                        .query("serial", "Only this serial, which may have any characters.")
                        .query("filter", FILTER),
                object("serials show", "Shows a serial.", "GET " + FLEET + "/serials/{serial}"),
                object("serials import", "Imports serials by a job.", "POST " + FLEET + "/serials/imports")
                        .upload(),
                file(
                                "serials export",
                                "Exports serials. The file can be imported again.",
                                "GET " + FLEET + "/exports/serials",
                                "csv",
                                CSV,
                                "ndjson",
                                LINES)
                        .query("filter", FILTER),
                object("serials block", "Keeps serials from registering.", "POST " + FLEET + "/serials/block")
                        .arguments("serials", Form.LIST, "SERIAL", true, "The serials, at most 1,000.")
                        .reason(),
                object("serials unblock", "Ends blocks of serials.", "POST " + FLEET + "/serials/unblock")
                        .arguments("serials", Form.LIST, "SERIAL", true, "The serials, at most 1,000."),
                object("serials remove", "Takes serials off the list.", "POST " + FLEET + "/serials/remove")
                        .arguments("serials", Form.LIST, "SERIAL", true, "The serials, at most 1,000.")
                        .danger("remove the serials"),
                object("serials owner", "Shows whose a serial is.", "GET " + FLEET + "/serials/{serial}/owner"),
                owner(object(
                        "serials assign", "Gives a serial to a user.", "PUT " + FLEET + "/serials/{serial}/owner")),
                object(
                        "serials release",
                        "Takes a serial from its owner.",
                        "DELETE " + FLEET + "/serials/{serial}/owner"),
                list(
                        "imports list",
                        "Lists imports.",
                        FLEET + "/imports",
                        "imports",
                        "id state operator startedAt read accepted rejected"),
                object("imports show", "Shows an import.", "GET " + FLEET + "/imports/{id}"),
                object("fleets preview", "Shows what the template gives a serial.", "POST " + FLEET + "/preview")
                        .arguments("serial", Form.TEXT, "SERIAL", true, "The serial."),
                list(
                                "statistics",
                                "Lists numbers by hour.",
                                "/api/v1/statistics",
                                "statistics",
                                "fleet kind hour count")
                        .query("fleet", "Only this fleet.")
                        .query("kind", "Only this kind, such as new or token.")
                        .query("from", "From the hour of this time on. By default, the last day.")
                        .query("to", "Hours that begin before this time."),

                // lots
                list(
                        "lots list",
                        "Lists lots.",
                        FLEET + "/lots",
                        "lots",
                        "lot expected imported paused notBefore notAfter"),
                object("lots show", "Shows a lot and what it has.", "GET " + FLEET + "/lots/{lot}"),
                object(
                                "lots update",
                                "Changes a lot, or makes it. What no option names stays.",
                                "PUT " + FLEET + "/lots/{lot}")
                        .keeps("expected", "notBefore", "notAfter", "paused")
                        .option("expected", Form.NUMBER, "NUMBER", "How many serials it may have.")
                        .notBeforeAndAfter()
                        .option("paused", Form.BOOLEAN, "BOOLEAN", "Whether its serials may not register now."),
                file("lots export", "Exports lots.", "GET " + FLEET + "/exports/lots", "csv", CSV, "ndjson", LINES),

                // devices
                list(
                                "devices list",
                                "Lists or searches devices of a fleet.",
                                "/api/v1/devices",
                                "devices",
                                "deviceId serial name state tags createdAt")
                        .query("filter", FILTER)
                        .query("q", "The beginning of a serial, name, tag or id.")
                        .query("sort", "createdAt, serial or name; -name is the reverse order.")
                        .query("serial", "Only this serial.")
                        .query("state", "pending, active, disabled or retired.")
                        .query("tag", "NAME:TEXT, only devices with this tag."),
                object("devices show", "Shows a device with its credentials.", "GET " + DEVICE),
                object(
                                "devices update",
                                "Changes name, tags and attributes. What no option names stays.",
                                "PATCH " + DEVICE)
                        .mergePatch()
                        .conditional()
                        .text("name", "The name.")
                        .option("tags", Form.TEXTS, "KEY=TEXT", "A tag; KEY= removes it. May be repeated.")
                        .option(
                                "attributes",
                                Form.VALUES,
                                "NAME=VALUE",
                                "An attribute; NAME= removes it. May be repeated."),
                object("devices disable", "Keeps devices from authenticating.", "POST " + DEVICE + "/disable")
                        .orJob("disable"),
                object("devices enable", "Lets devices authenticate again.", "POST " + DEVICE + "/enable")
                        .orJob("enable"),
                object("devices retire", "Makes devices tombstones, for ever.", "POST " + DEVICE + "/retire")
                        .danger("retire the device for ever")
                        .orJob("retire"),
                object("devices revoke", "Revokes credentials of devices.", "POST " + DEVICE + "/revoke")
                        .text("key", "Only this credential of one device.")
                        .reason()
                        .danger("revoke the credentials")
                        .orJob("revoke"),
                object("devices rotate", "Has devices renew their credentials.", "POST " + DEVICE + "/rotate")
                        .notBeforeAndAfter()
                        .reason()
                        .orJob("rotate"),
                object("devices tag", "Sets tags of many devices.", "POST " + FLEET + "/jobs")
                        .option("tags", Form.TEXTS, "KEY=TEXT", "A tag; KEY= removes it. May be repeated.")
                        .orJob("tag"),
                object("devices delete", "Deletes devices. Only empty tombstones remain.", "DELETE " + DEVICE)
                        .conditional()
                        .danger("delete the device for ever")
                        .orJob("delete"),
                list(
                        "devices timeline",
                        "Lists what happened to a device.",
                        DEVICE + "/events",
                        "events",
                        "at type who key detail"),
                file(
                                "devices export",
                                "Exports devices.",
                                "GET " + FLEET + "/exports/devices",
                                "csv",
                                CSV,
                                "ndjson",
                                LINES)
                        .query("filter", FILTER),
                object("devices owner", "Shows whose a device is.", "GET " + DEVICE + "/owner"),
                owner(object("devices assign", "Gives a device to a user.", "PUT " + DEVICE + "/owner")),
                object("devices release", "Takes a device from its owner.", "DELETE " + DEVICE + "/owner"),

                // approvals
                list(
                                "approvals list",
                                "Lists candidates, the oldest first.",
                                FLEET + "/approvals",
                                "approvals",
                                "id serial state origin lot tries firstSeen lastSeen verifiers")
                        .query("state", "waiting (the default), approved, rejected or used.")
                        .query("serial", "All entries of this serial.")
                        .query("origin", "Only entries from this address.")
                        .query("lot", "Only entries of this lot.")
                        .query("filter", FILTER),
                object("approvals show", "Shows a candidate.", "GET " + FLEET + "/approvals/{id}"),
                decision(object(
                                "approvals approve",
                                "Lets candidates register, once.",
                                "POST " + FLEET + "/approvals/{id}/approve"))
                        .orMany(FLEET + "/approvals/approve"),
                decision(object("approvals reject", "Refuses candidates.", "POST " + FLEET + "/approvals/{id}/reject"))
                        .orMany(FLEET + "/approvals/reject"),
                object("approvals pre-approve", "Approves serials before they ask.", "POST " + FLEET + "/approvals")
                        .arguments("serials", Form.LIST, "SERIAL", false, "Serials of devices without a key.")
                        .option(
                                "bindings",
                                Form.TEXTS,
                                "SERIAL=THUMBPRINT",
                                "A serial with the thumbprint of its key. May be repeated.")
                        .text("notAfter", "The time at which the approval ends.")
                        .reason(),
                object("approvals remove", "Removes an entry and its decision.", "DELETE " + FLEET + "/approvals/{id}")
                        .conditional(),

                // claims
                file(
                                "claims codes",
                                "Makes claim codes for labels. They are shown only once.",
                                "POST " + FLEET + "/claim-codes",
                                "csv",
                                CSV,
                                "html",
                                "text/html")
                        .arguments("serials", Form.LIST, "SERIAL", false, "The serials, at most 1,000.")
                        .text("lot", "Instead of serials: all serials of this lot.")
                        .text("label", "For html, the size of a label: a or b."),
                file(
                        "claims code",
                        "Makes a claim code for one label. It is shown only once.",
                        "POST " + FLEET + "/serials/{serial}/claim-code",
                        "json",
                        "application/json",
                        "svg",
                        "image/svg+xml",
                        "png",
                        "image/png"),

                // orders about credentials
                list(
                                "allowances list",
                                "Lists allowances, the oldest first.",
                                FLEET + "/allowances",
                                "allowances",
                                "id serial state notBefore notAfter operator reason")
                        .query("serial", "Only this serial."),
                object("allowances create", "Lets serials register once more.", "POST " + FLEET + "/allowances")
                        .arguments("serials", Form.LIST, "SERIAL", true, "The serials, at most 1,000.")
                        .required("reason", "The reason, for the record.")
                        .notBeforeAndAfter(),
                object(
                        "allowances revoke",
                        "Revokes an allowance, and the credential that was given by it.",
                        "DELETE " + FLEET + "/allowances/{id}"),
                list(
                        "revocations list",
                        "Lists revocations, the oldest first.",
                        FLEET + "/revocations",
                        "revocations",
                        REVOCATION),
                everything(object(
                                "revocations create",
                                "Revokes every credential of a lot or a fleet.",
                                "POST " + FLEET + "/revocations"))
                        .danger("revoke every credential of the lot or fleet"),
                list(
                        "rotations list",
                        "Lists rotations, the oldest first.",
                        FLEET + "/rotations",
                        "rotations",
                        REVOCATION),
                everything(object(
                                "rotations create",
                                "Has every credential of a lot or a fleet renewed.",
                                "POST " + FLEET + "/rotations"))
                        .notBeforeAndAfter()
                        .danger("have every credential of the lot or fleet renewed"),
                object("rotations cancel", "Cancels a rotation.", "DELETE " + FLEET + "/rotations/{id}"),
                list(
                        "enrolment-keys list",
                        "Lists keys.",
                        FLEET + "/enrolment-keys",
                        "enrolmentKeys",
                        "id state uses maxUses notBefore notAfter revokedAt"),
                object(
                        "enrolment-keys show",
                        "Shows a key's state, without the key.",
                        "GET " + FLEET + "/enrolment-keys/{id}"),
                object(
                                "enrolment-keys create",
                                "Makes a key. It is shown only once.",
                                "POST " + FLEET + "/enrolment-keys")
                        .text("id", "Its id, otherwise a new one.")
                        .option("maxUses", Form.NUMBER, "NUMBER", "How many devices may use it.")
                        .notBeforeAndAfter()
                        .secret("key"),
                object("enrolment-keys revoke", "Revokes a key.", "POST " + FLEET + "/enrolment-keys/{id}/revoke")
                        .danger("revoke the key"),

                // jobs
                list(
                                "jobs list",
                                "Lists jobs, the newest first.",
                                FLEET + "/jobs",
                                "jobs",
                                "id action state total done failed rate operator createdAt")
                        .query("state", "waiting, running, done, failed or cancelled."),
                object("jobs show", "Shows how far a job is.", "GET " + FLEET + "/jobs/{id}"),
                object("jobs wait", "Waits for the end of a job.", "GET " + FLEET + "/jobs/{id}")
                        .makesJob(),
                object("jobs cancel", "Cancels a job. What it did stays.", "POST " + FLEET + "/jobs/{id}/cancel"),
                file(
                        "jobs results",
                        "Shows what became of each row of a job.",
                        "GET " + FLEET + "/jobs/{id}/results",
                        "ndjson",
                        LINES),
                file(
                        "jobs failures",
                        "Shows the failed rows of a job, to be corrected and sent again.",
                        "GET " + FLEET + "/jobs/{id}/failures",
                        "any",
                        "*/*"),

                // events
                list("events list", "Lists events, the newest first.", "/api/v1/events", "events", EVENTS)
                        .query("filter", "A filter, such as: type eq \"refused\" and serial eq \"SN-0001\""),
                file(
                                "events export",
                                "Exports events of a fleet.",
                                "GET " + FLEET + "/exports/events",
                                "csv",
                                CSV,
                                "ndjson",
                                LINES)
                        .query("filter", "A filter, as for the list."),

                // webhooks
                list(
                                "webhooks list",
                                "Lists webhooks.",
                                FLEET + "/webhooks",
                                "webhooks",
                                "id url enabled types deliveredAt failingSince lastError")
                        .whole(),
                object("webhooks show", "Shows a webhook.", "GET " + FLEET + "/webhooks/{id}"),
                webhook(object(
                                "webhooks create",
                                "Creates a webhook. Its secret is shown only once.",
                                "POST " + FLEET + "/webhooks"))
                        .secret("secret"),
                webhook(object(
                                "webhooks update",
                                "Changes a webhook. What no option names stays.",
                                "PUT " + FLEET + "/webhooks/{id}"))
                        .keeps("url", "types", "enabled", "description"),
                object(
                                "webhooks delete",
                                "Deletes a webhook with everything that waits for it.",
                                "DELETE " + FLEET + "/webhooks/{id}")
                        .conditional()
                        .danger("delete the webhook"),
                object(
                                "webhooks rotate",
                                "Replaces the secret of a webhook.",
                                "POST " + FLEET + "/webhooks/{id}/rotate")
                        .conditional()
                        .text("notAfter", "Until when the old secret signs too.")
                        .secret("secret"),
                object("webhooks test", "Sends a test message now.", "POST " + FLEET + "/webhooks/{id}/test"),
                list(
                                "webhooks deliveries",
                                "Lists deliveries, the newest first.",
                                FLEET + "/webhooks/{id}/deliveries",
                                "deliveries",
                                "id type state createdAt dueAt attempts lastAttempt")
                        .query("state", "waiting, delivered or dead."),
                object(
                        "webhooks delivery",
                        "Shows a delivery with its body.",
                        "GET " + FLEET + "/webhooks/{id}/deliveries/{delivery}"),
                object(
                        "webhooks resend",
                        "Sends a delivery again.",
                        "POST " + FLEET + "/webhooks/{id}/deliveries/{delivery}/resend"),
                object(
                        "webhooks resend-dead",
                        "Sends the oldest thousand dead letters again.",
                        "POST " + FLEET + "/webhooks/{id}/deliveries/resend"),

                // operators
                object("whoami", "Shows who you are, and what you may do.", "GET /api/v1/me"),
                list(
                        "operators sessions",
                        "Lists sessions at the console.",
                        "/api/v1/console-sessions",
                        "sessions",
                        "operator name link active createdAt usedAt expiresAt"),
                object(
                                "operators sign-out",
                                "Ends all sessions of an operator at the console.",
                                "DELETE /api/v1/console-sessions/{id}")
                        .danger("end all sessions of the operator"),
                list(
                        "operators list",
                        "Lists operators, revoked ones too.",
                        "/api/v1/operators",
                        "operators",
                        "id name active grants expiresAt lastUsedAt"),
                object("operators show", "Shows an operator.", "GET /api/v1/operators/{id}"),
                grants(object(
                                        "operators create",
                                        "Creates an operator. Its token is shown only once.",
                                        "POST /api/v1/operators")
                                .arguments("name", Form.TEXT, "NAME", true, "The name."))
                        .secret("token"),
                grants(object(
                                "operators update",
                                "Changes grants or expiry. What no option names stays.",
                                "PUT /api/v1/operators/{id}"))
                        .keeps("grants", "expiresAt"),
                object("operators token", "Gives an operator a new token.", "POST /api/v1/operators/{id}/token")
                        .text("overlap", "How long the old token works, by default P1D.")
                        .secret("token"),
                object("operators revoke", "Revokes an operator.", "DELETE /api/v1/operators/{id}")
                        .danger("revoke the operator"),
                object("signing-keys list", "Lists signing keys.", "GET /api/v1/signing-keys"),
                object(
                                "signing-keys rotate",
                                "Makes the next key, or replaces all keys at once.",
                                "POST /api/v1/signing-keys/rotate")
                        .constant("emergency", false)
                        .option("emergency", Form.FLAG, "", "A key was stolen: drop all keys, and every token, now.")
                        .reason()
                        .danger("rotate the signing keys"),

                // the record
                file("audit export", "Exports the sealed record.", "GET /api/v1/audit/export", "ndjson", LINES)
                        .query("from", "The number of the first seal.")
                        .query("to", "The number of the last seal."),
                list(
                        "audit seals",
                        "Lists seals, the newest first.",
                        "/api/v1/audit/seals",
                        "seals",
                        "number at records from to root"),
                object("audit seal", "Shows a seal.", "GET /api/v1/audit/seals/{number}"),
                file(
                        "audit receipt",
                        "Gets the proof that a record is in a seal.",
                        "GET /api/v1/audit/records/{id}/receipt",
                        "json",
                        "application/json"),
                object("audit replace-key", "Makes a new key for seals.", "POST /api/v1/audit/keys/replace")
                        .reason()
                        .danger("replace the key of seals"),
                file("metrics", "Shows the measurements, for Prometheus.", "GET /metrics", "text", "text/plain"));
    }

    private static Order owner(Order order) {
        return order.required("provider", "The identity provider of the user.")
                .required("subject", "The user, as the provider names it.")
                .text("group", "The group that it is for.");
    }

    private static Order decision(Order order) {
        return order.conditional()
                .text("notAfter", "The time at which the decision ends.")
                .reason();
    }

    private static Order everything(Order order) {
        return order.text("lot", "Only this lot.")
                .option("all", Form.FLAG, "", "The whole fleet.")
                .required("reason", "The reason, for the record.");
    }

    private static Order webhook(Order order) {
        return order.text("url", "The address of the receiver.")
                .option("types", Form.LIST, "TYPE", "A type of events that it gets, by default all. May be repeated.")
                .option("enabled", Form.BOOLEAN, "BOOLEAN", "Whether it gets anything.")
                .text("description", "A text for people.");
    }

    private static Order grants(Order order) {
        return order.option(
                        "grants", Form.JSON, "JSON", "The grants: [{\"role\": \"operator\", \"fleets\": [\"pumps\"]}]")
                .text("expiresAt", "The time at which its tokens end.");
    }
}
