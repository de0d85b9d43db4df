// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.config.Settings;
import io.muster.http.Reply;
import io.muster.http.Target;
import io.muster.json.Json;
import io.muster.spi.Candidate;
import io.muster.spi.Verdict;
import io.muster.verification.DeviceFacts;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Asks an endpoint that was made for Muster; {@code docs/verifiers/http.md} is the contract. */
final class ContractForm implements Form {

    private static final int VERSION = 1;
    private static final String MAC = "HmacSHA256";
    private static final int SHORTEST_SECRET = 32;
    private static final int LONGEST_REASON = 200;
    private static final Set<String> MEMBERS = Set.of("serial", "verdict", "reason", "name", "tags", "attributes");
    private static final List<String> OF_THE_OTHER_FORM = List.of(
            "method",
            "body",
            "content-type",
            "genuine-status",
            "refused-status",
            "unknown-status",
            "pending-status",
            "pointer",
            "equals",
            "otherwise",
            "serial-pointer",
            "status-only",
            "name-pointer",
            "tags",
            "attributes");

    private final Target target;
    private final ExtraHeaders headers;
    private final Clock clock;
    private final SecretKeySpec key;

    ContractForm(Settings settings, Target target, ExtraHeaders headers, Clock clock) {
        this.target = target;
        this.headers = headers;
        this.clock = clock;
        this.key = new SecretKeySpec(secret(settings), MAC);
        for (String foreign : OF_THE_OTHER_FORM) {
            if (settings.text(foreign).isPresent()) {
                settings.fault(foreign, "belongs to the form api");
            }
        }
    }

    private static byte[] secret(Settings settings) {
        Optional<String> secret = settings.secret("secret");
        if (secret.isEmpty()) {
            settings.fault("secret-file", "is required in the form contract");
        } else {
            byte[] bytes = secret.get().getBytes(StandardCharsets.UTF_8);
            if (bytes.length >= SHORTEST_SECRET) {
                return bytes;
            }
            settings.fault("secret", "must have at least " + SHORTEST_SECRET + " bytes");
        }
        byte[] nobodyKnows = new byte[SHORTEST_SECRET];
        new SecureRandom().nextBytes(nobodyKnows);
        return nobodyKnows;
    }

    @Override
    public HttpRequest question(Candidate candidate) {
        Map<String, Object> asked = new LinkedHashMap<>();
        asked.put("version", VERSION);
        asked.put("serial", candidate.serial().value());
        asked.put("fleet", candidate.fleet());
        asked.put("origin", candidate.origin());
        asked.put("evidence", candidate.evidence());
        candidate.binding().ifPresent(binding -> asked.put("binding", binding));
        byte[] body = Json.bytes(asked);
        String id = UUID.randomUUID().toString();
        String time = Long.toString(clock.instant().getEpochSecond());
        return headers.addTo(HttpRequest.newBuilder(target.address(candidate)))
                .header("Content-Type", "application/json")
                .header("Muster-Id", id)
                .header("Muster-Time", time)
                .header("Muster-Signature", "v1=" + signature(id, time, body))
                .POST(BodyPublishers.ofByteArray(body))
                .build();
    }

    private String signature(String id, String time, byte[] body) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(key);
            mac.update((id + "." + time + ".").getBytes(StandardCharsets.US_ASCII));
            return HexFormat.of().formatHex(mac.doFinal(body));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has " + MAC, e);
        }
    }

    @Override
    public Verdict verdict(Candidate candidate, Reply reply) {
        if (reply.status() == 202) {
            return new Verdict.Pending(reply.retryAfter());
        }
        if (reply.status() != 200) {
            throw reply.unmapped();
        }
        JsonNode body = reply.json();
        if (!body.isObject()) {
            throw reply.misread("JSON that is not an object");
        }
        for (Iterator<String> names = body.fieldNames(); names.hasNext(); ) {
            if (!MEMBERS.contains(names.next())) {
                throw reply.misread("a member that is not in the contract");
            }
        }
        if (!body.path("serial").isTextual()
                || !body.path("serial").textValue().equals(candidate.serial().value())) {
            throw reply.misread("another serial than the one asked for, or none");
        }
        Optional<String> reason = text(body, "reason", reply);
        Optional<String> name = text(body, "name", reply).filter(given -> !given.isBlank());
        Map<String, String> tags = tags(body.path("tags"), reply);
        Map<String, Object> attributes = attributes(body.path("attributes"), reply);
        String verdict = text(body, "verdict", reply).orElse("");
        if (verdict.equals("genuine")) {
            return new Verdict.Genuine(name, tags, attributes);
        }
        if (verdict.equals("refused")) {
            return Verdict.refused(reason.map(ContractForm::oneLine).orElse("the endpoint gave no reason"));
        }
        if (verdict.equals("unknown")) {
            return Verdict.unknown();
        }
        throw reply.misread("a verdict that is none of genuine, refused and unknown");
    }

    private static Optional<String> text(JsonNode body, String member, Reply reply) {
        JsonNode value = body.path(member);
        if (isAbsent(value)) {
            return Optional.empty();
        }
        if (!value.isTextual()) {
            throw reply.misread(member + " that is not a text");
        }
        return Optional.of(value.textValue());
    }

    private static Map<String, String> tags(JsonNode given, Reply reply) {
        Map<String, String> tags = new HashMap<>();
        members(given, "tags", reply).forEach((tag, value) -> {
            if (!value.isTextual()) {
                throw reply.misread("a tag that is not a text");
            }
            tags.put(tag, value.textValue());
        });
        return tags;
    }

    private static Map<String, Object> attributes(JsonNode given, Reply reply) {
        Map<String, Object> attributes = new HashMap<>();
        members(given, "attributes", reply).forEach((attribute, value) -> {
            if (!value.isTextual() && !value.isNumber() && !value.isBoolean()) {
                throw reply.misread("an attribute that is neither text, number, true nor false");
            }
            attributes.put(attribute, DeviceFacts.plain(value));
        });
        return attributes;
    }

    private static Map<String, JsonNode> members(JsonNode given, String what, Reply reply) {
        Map<String, JsonNode> members = new LinkedHashMap<>();
        if (!isAbsent(given)) {
            if (!given.isObject()) {
                throw reply.misread(what + " that are not an object");
            }
            given.properties().forEach(member -> members.put(member.getKey(), member.getValue()));
        }
        return members;
    }

    private static boolean isAbsent(JsonNode value) {
        return value.isMissingNode() || value.isNull();
    }

    /** Shortens a reason for logs: no line breaks, no invisible characters, bounded length. */
    private static String oneLine(String reason) {
        String line = reason.replaceAll("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]", " ");
        return line.length() <= LONGEST_REASON ? line : line.substring(0, LONGEST_REASON);
    }
}
