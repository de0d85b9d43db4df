package io.muster.web.operator;

import io.muster.Registry;
import io.muster.credential.CredentialOrders;
import io.muster.credential.CredentialOrders.Order;
import io.muster.credential.CredentialOrders.Scope;
import io.muster.json.Fields;
import io.muster.verification.Lot;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What revocations and rotations of a fleet have in common: whose credentials are meant, and how an order looks. */
final class OrderBody {

    private static final Duration DAY = Duration.ofDays(1);

    private OrderBody() {}

    /**
     * When devices are to renew, or may register.
     *
     * @param notBefore from
     * @param notAfter until
     */
    record Window(Instant notBefore, Instant notAfter) {}

    /** Reads a window that has not ended: from now on for a day unless the request says otherwise. */
    static Window window(Fields fields, Clock clock) {
        Instant now = clock.instant();
        Instant notBefore = fields.time("notBefore").orElse(now);
        Instant notAfter = fields.time("notAfter").orElse(notBefore.plus(DAY));
        fields.order("notBefore", Optional.of(notBefore), "notAfter", Optional.of(notAfter));
        if (notBefore.isBefore(notAfter) && !notAfter.isAfter(now)) {
            fields.fault("notAfter", "must be in the future");
        }
        return new Window(notBefore, notAfter);
    }

    /** Reads whose credentials are meant: those of a lot that devices are of, or, said outright, of the whole fleet. */
    static Scope scope(Registry registry, String fleet, Fields fields) {
        Optional<String> lot = fields.text("lot", "the name of a lot", Lot::isName);
        boolean all = fields.flag("all").orElse(false);
        if (lot.isPresent() == all) {
            fields.fault("lot", "name a lot, or say \"all\": true for the whole fleet");
        }
        if (lot.isPresent() && !all && registry.devices().count(fleet, lot) == 0) {
            // A name that was mistyped would be taken for a lot that is safe now.
            fields.fault("lot", "no device of this fleet is of this lot");
        }
        return new Scope(fleet, lot, Optional.empty());
    }

    /** Answers with an order that was given just now, and how many devices it means. */
    static Response ordered(Registry registry, Order order) {
        Map<String, Object> view = view(order);
        view.put(
                "devices",
                registry.devices().count(order.scope().fleet(), order.scope().lot()));
        return Replies.json(view).status(201).build();
    }

    static Response list(Registry registry, String fleet, CredentialOrders.Kind kind, String member, UriInfo uri) {
        new Query(uri, Set.of()).check();
        List<Map<String, Object>> orders = registry.credentialOrders().of(fleet).all().stream()
                .filter(order -> order.kind() == kind)
                .map(OrderBody::view)
                .toList();
        return Replies.json(Map.of(member, orders)).build();
    }

    static Map<String, Object> view(Order order) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", order.id());
        order.scope().lot().ifPresent(lot -> view.put("lot", lot));
        order.scope().device().ifPresent(device -> view.put("deviceId", device.value()));
        view.put("issuedAt", order.issuedAt());
        if (order.kind() == CredentialOrders.Kind.ROTATE) {
            view.put("notBefore", order.notBefore());
            view.put("notAfter", order.notAfter());
        }
        view.put(Members.REASON, order.reason());
        view.put("operator", order.operator());
        order.endedAt().ifPresent(at -> view.put("calledOffAt", at));
        return view;
    }
}
