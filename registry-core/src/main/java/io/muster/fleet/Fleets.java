package io.muster.fleet;

import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The fleets of this registry; {@code default} is always among them. Immutable. */
public final class Fleets {

    private final Map<String, Fleet> byName;

    /** Takes the fleets by name. */
    public Fleets(Map<String, Fleet> byName) {
        this.byName = Map.copyOf(byName);
    }

    /** Returns the fleet, or empty if there is none of this name. */
    public Optional<Fleet> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /** Returns all names. */
    public Set<String> names() {
        return byName.keySet();
    }
}
