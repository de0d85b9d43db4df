// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.credential.CredentialOrders;
import io.muster.credential.CredentialOrders.Order;
import io.muster.credential.CredentialOrders.Scope;
import io.muster.device.DeviceStore;
import io.muster.json.Fields;
import io.muster.spi.DeviceId;
import io.muster.verification.list.Lot;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.core.Response;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The common part of revocations and rotations of a fleet: the credentials they apply to, and the view of an order. */
final class OrderBody {

    private static final Duration DAY = Duration.ofDays(1);

    private OrderBody() {}

    /**
     * The time in which devices are to renew, or may register.
     *
     * @param notBefore from
     * @param notAfter until
     */
    record Window(Instant notBefore, Instant notAfter) {}

    /** Reads a window that has not ended; by default one day from now. */
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

    /** Reads which credentials an order applies to: those of a lot, or, if stated explicitly, of the whole fleet. */
    static Scope scope(String fleet, Fields fields) {
        Optional<String> lot = fields.text("lot", "the name of a lot", Lot::isName);
        boolean all = fields.flag("all").orElse(false);
        if (lot.isPresent() == all) {
            fields.fault("lot", "name a lot, or say \"all\": true for the whole fleet");
        }
        return new Scope(fleet, lot, Optional.empty());
    }

    /**
     * Counts the devices of an order before it is given: an order that was given must not fail afterwards.
     *
     * @return empty if that cannot be counted now, which does not prevent the order
     */
    static Optional<DeviceStore.Count> count(DeviceStore devices, Scope scope, Fields fields) {
        Optional<DeviceStore.Count> count = Replies.perhaps(() -> devices.count(scope.fleet(), scope.lot()));
        if (scope.lot().isPresent()
                && count.filter(total -> total.exact() && total.number() == 0).isPresent()) {
            // Otherwise an operator with a typing error would think that the lot is safe now.
            fields.fault("lot", "no device of this fleet is of this lot");
        }
        return count;
    }

    /** Answers with an order that was just given, and the number of its devices, as far as they were counted. */
    static Response ordered(Order order, Optional<DeviceStore.Count> count) {
        Map<String, Object> view = view(order);
        count.filter(total -> total.exact() || total.number() > 0)
                .ifPresent(total -> view.put(total.exact() ? "devices" : "devicesAtLeast", total.number()));
        return Replies.json(view).status(201).build();
    }

    static Response list(
            CredentialOrders all, String fleet, CredentialOrders.Kind kind, String member, HttpServletRequest request) {
        Query query = Query.of(request);
        Optional<String> after = query.cursor(DeviceId::isValid);
        int limit = query.limit();
        query.check();
        return Replies.page(member, all.of(fleet).list(kind, after, limit), limit, OrderBody::view, Order::id);
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
