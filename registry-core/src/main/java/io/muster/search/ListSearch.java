// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.approval.Approval;
import io.muster.approval.Approvals;
import io.muster.audit.Audit;
import io.muster.audit.AuditEvent;
import io.muster.cdi.Part;
import io.muster.spi.SerialNumber;
import io.muster.verification.SerialForm;
import io.muster.verification.list.SerialList;
import jakarta.inject.Inject;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Filters the lists that have one order: expected serials, approvals and events. A page reads as many rows as a page of
 * devices at most. Thread-safe.
 */
@Part
public final class ListSearch {

    private static final String SERIAL = "serial";
    private static final String STATE = "state";
    private static final String LOT = "lot";
    private static final String ORIGIN = "origin";

    // An entry of the index, its row, and the device.
    private static final int ROWS = 3;
    // Less than any serial that begins like another, and more than any before.
    private static final char BEHIND = '\u007f';

    private final SerialList serials;
    private final Approvals approvals;
    private final Audit audit;

    /** Filters these. */
    @Inject
    public ListSearch(SerialList serials, Approvals approvals, Audit audit) {
        this.serials = serials;
        this.approvals = approvals;
        this.audit = audit;
    }

    /** Returns the attributes of expected serials. */
    public static Columns<SerialList.Entry> serials(SerialForm form) {
        return Columns.<SerialList.Entry>none()
                .with(SERIAL, Field.Kind.TEXT, entry -> entry.serial().serial())
                .with("name", Field.Kind.TEXT, entry -> entry.serial().name().orElse(null))
                .with(STATE, Stream.of(SerialList.State.values()).map(SerialList.State::word), entry -> entry.state()
                        .word())
                .with(LOT, Field.Kind.TEXT, entry -> entry.serial().lot().orElse(null))
                .with("reason", Field.Kind.TEXT, entry -> entry.reason().orElse(null))
                .with("deviceId", Field.Kind.ID, entry -> entry.deviceId().orElse(null))
                .withMembers("tags", Field.Kind.TEXT, (entry, key) -> entry.serial()
                        .tags()
                        .get(key))
                .withMembers("attributes", Field.Kind.ANY, (entry, name) -> entry.serial()
                        .attributes()
                        .get(name))
                .spelling(text -> spelled(form, text));
    }

    /** Returns the attributes of approvals. */
    public static Columns<Approval> approvals(SerialForm form) {
        return Columns.<Approval>none()
                .with(SERIAL, Field.Kind.TEXT, Approval::serial)
                .with(STATE, Stream.of(Approval.State.values()).map(Approval.State::word), one -> one.state()
                        .word())
                .with(ORIGIN, Field.Kind.TEXT, one -> one.origin().orElse(null))
                .with(LOT, Field.Kind.TEXT, one -> one.lot().orElse(null))
                .with("binding", Field.Kind.TEXT, one -> one.binding().orElse(null))
                .with("tries", Field.Kind.ANY, Approval::tries)
                .with("firstSeen", Field.Kind.TIME, one -> one.firstSeen().orElse(null))
                .with("lastSeen", Field.Kind.TIME, one -> one.lastSeen().orElse(null))
                .with("operator", Field.Kind.TEXT, one -> one.decidedBy().orElse(null))
                .spelling(text -> spelled(form, text));
    }

    /** Returns the attributes of events. */
    public static Columns<AuditEvent> events() {
        return Columns.<AuditEvent>none()
                .with("type", Stream.of(Audit.Type.values()).map(Audit.Type::word), AuditEvent::type)
                .with("at", Field.Kind.TIME, AuditEvent::at)
                .with("fleet", Field.Kind.TEXT, AuditEvent::fleet)
                .with(SERIAL, Field.Kind.TEXT, AuditEvent::serial)
                .with("deviceId", Field.Kind.ID, AuditEvent::deviceId)
                .with("who", Field.Kind.TEXT, AuditEvent::who)
                .with("detail", Field.Kind.TEXT, AuditEvent::detail);
    }

    private static String spelled(SerialForm form, String text) {
        return form.of(text).map(SerialNumber::value).orElse(text);
    }

    /**
     * Returns a page of the serials of a fleet, in their order.
     *
     * @param given further conditions
     * @param after the next of the page before; empty for the first page
     */
    public Sifted<SerialList.Entry> serials(
            String fleet, Expression filter, SerialList.Filter given, Optional<String> after, int atMost) {
        Columns<SerialList.Entry> columns = serials(SerialForm.EXACT);
        Optional<String> lot = given.lot().or(() -> Columns.equal(filter, LOT));
        Optional<SerialList.State> state =
                given.state().or(() -> Columns.equal(filter, STATE).flatMap(SerialList.State::of));
        // The index has blocked serials and the others. All other states are checked here.
        SerialList.Filter indexed =
                new SerialList.Filter(state.filter(one -> one == SerialList.State.BLOCKED && lot.isEmpty()), lot);
        String beginning = Columns.beginning(filter, SERIAL).orElse("");
        Optional<String> from = beginning.isEmpty() ? Optional.empty() : Optional.of(before(beginning));
        return Sifted.page(
                new Sifted.Origin<>(
                        (last, most) -> serials.list(fleet, indexed, last, most).entries(),
                        ROWS,
                        indexed.state().isPresent() ? SerialList.STEP : 1,
                        entry -> entry.serial().serial()),
                entry -> state.map(entry.state()::equals).orElse(true) && columns.matches(filter, entry),
                entry -> !entry.serial().serial().startsWith(beginning),
                later(after, from),
                atMost);
    }

    /** Returns a text before all serials that begin with this, and behind all others that are before. */
    private static String before(String beginning) {
        int last = beginning.length() - 1;
        return beginning.substring(0, last) + (char) Math.max(0, beginning.charAt(last) - 1) + BEHIND;
    }

    private static Optional<String> later(Optional<String> one, Optional<String> other) {
        return Stream.of(one, other).flatMap(Optional::stream).max(Relation::order);
    }

    /**
     * Returns a page of the approvals of a fleet, the oldest first.
     *
     * @param given the state, and perhaps the origin or the lot
     * @param after the next of the page before; empty for the first page
     */
    public Sifted<Approval> approvals(
            String fleet, Expression filter, Approvals.Filter given, Optional<String> after, int atMost) {
        Columns<Approval> columns = approvals(SerialForm.EXACT);
        Optional<String> origin =
                given.origin().or(() -> given.lot().isPresent() ? Optional.empty() : Columns.equal(filter, ORIGIN));
        Optional<String> lot = given.lot().or(() -> origin.isPresent() ? Optional.empty() : Columns.equal(filter, LOT));
        Approvals.Filter indexed = new Approvals.Filter(given.state(), origin, lot);
        return Sifted.page(
                new Sifted.Origin<>((last, most) -> approvals.list(fleet, indexed, last, most), ROWS, 1, Approval::id),
                one -> columns.matches(filter, one),
                one -> false,
                after,
                atMost);
    }

    /**
     * Returns a page of the events, the newest first.
     *
     * @param filter further conditions
     * @param visible tells of which fleets events are shown; it gets null for an event that concerns no fleet
     * @param before the next of the page before; empty for the first page
     */
    public Sifted<AuditEvent> events(
            Optional<Expression> filter, Predicate<String> visible, Optional<String> before, int atMost) {
        Columns<AuditEvent> columns = events();
        return Sifted.page(
                new Sifted.Origin<>(audit::list, 1, 1, AuditEvent::id),
                event -> visible.test(event.fleet())
                        && filter.map(one -> columns.matches(one, event)).orElse(true),
                event -> false,
                before,
                atMost);
    }
}
